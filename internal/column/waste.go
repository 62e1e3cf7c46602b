package column

const (
	// leastWaste is the number of bytes that a column may waste without being
	// touched for it: a few pages.
	leastWaste = 16 << 10
	// wasteShare is the share of the live bytes of a chunk that may lie beside
	// them before they are stored anew.
	wasteShare = 40
	// WasteBytes is about how many live bytes a Waste has at most, unless a
	// single chunk has more: a transaction that stores them anew takes a tenth
	// of a second.
	WasteBytes = 8 << 20
)

// Waste is a part of a column that takes more room than it needs.
type Waste struct {
	// From and To are the elements to be stored anew, none if they are equal.
	From, To int64
	// Index says that these are not elements but entries of an index.
	Index bool
	// Chunks are the numbers of chunks in which nothing lies.
	Chunks []int64
	// Bytes is how many bytes are to be written.
	Bytes int64
}

// Wasteful tells whether a chunk is to be stored anew.
func Wasteful(waste, live int64) bool { return waste > live/wasteShare }

// Worthwhile tells whether so many bytes of waste in a column are worth a
// write.
func Worthwhile(waste int64) bool { return waste > leastWaste }
