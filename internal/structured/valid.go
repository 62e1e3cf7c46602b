package structured

// Valid tells why the item at the start of src is not one that [Codec.Decode]
// reads into an any, without making a value of it. It takes no memory, however
// large the value would be.
func Valid(f Format, src []byte) error {
	_, err := skip(f.wire(), src, 0, 0)
	return err
}

// ValidJSON tells why text is not JSON that [DecodeJSON] reads into an any. It
// takes memory of the size of the text.
func ValidJSON(text []byte) error {
	_, err := parseJSON(text)
	return err
}
