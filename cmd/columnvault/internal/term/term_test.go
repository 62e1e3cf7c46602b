package term

import (
	"math"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestSparkline(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, c := range []struct {
		values []float64
		want   string
	}{
		{nil, ""},
		{[]float64{5}, "▁"},
		{[]float64{2, 2, 2}, "▁▁▁"},
		{[]float64{0, 1, 2, 3, 4, 5, 6, 7}, "▁▂▃▄▅▆▇█"},
		{[]float64{1, nan, 0}, "█ ▁"},
		{[]float64{nan, nan}, "  "},
		{[]float64{0, inf, 1, -inf}, "▁██▁"},
		{[]float64{-math.MaxFloat64, 0, math.MaxFloat64}, "▁▅█"},
	} {
		if got := Sparkline(c.values); got != c.want {
			t.Errorf("%v: got %q, want %q", c.values, got, c.want)
		}
	}
}

func TestTable(t *testing.T) {
	for color, want := range map[bool]string{
		false: "name     n  trend\né       10  ▁\nlonger\n",
		true:  "\x1b[1mname\x1b[0m     \x1b[1mn\x1b[0m  \x1b[1mtrend\x1b[0m\né       10  \x1b[36m▁\x1b[0m\nlonger\n",
	} {
		table := NewTable(color, Left("name"), Right("n"), Graph("trend"))
		table.Add("é", "10", "▁")
		table.Add("longer", "", "")
		var b strings.Builder
		if err := table.Write(&b); err != nil || b.String() != want {
			t.Errorf("got\n%q\nwant\n%q (%v)", b.String(), want, err)
		}
	}
}

// TestTableInParts prints a table in two parts, of which the second is wider,
// and a cell that is too wide to align others with it.
func TestTableInParts(t *testing.T) {
	table := NewTable(false, Left("name"), Right("n"))
	var b strings.Builder
	wide := strings.Repeat("x", maxWidth+1)
	for _, row := range [][]string{{"a", "1"}, {"longer", "22"}, {wide, "3"}, {"b", "4"}} {
		table.Add(row...)
		if row[1] == "3" {
			continue
		}
		if err := table.Write(&b); err != nil {
			t.Fatal(err)
		}
	}
	want := "name  n\na     1\nlonger  22\n" + wide + "   3\nb        4\n"
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
}

// TestTableFits: on a narrow terminal text is cut, the longest first, and then
// columns are left out. Numbers stay whole.
func TestTableFits(t *testing.T) {
	for width, want := range map[int]string{
		0:  "name              n  note            trend\néééééééééééé  12345  a longer note   ▁▂▃\nb                 6  another longer  ▁\n",
		42: "name              n  note            trend\néééééééééééé  12345  a longer note   ▁▂▃\nb                 6  another longer  ▁\n",
		38: "name             n  note         trend\néééééééééé…  12345  a longer n…  ▁▂▃\nb                6  another lo…  ▁\n",
		28: "name          n  note      …\nééééééé…  12345  a longe…  …\nb             6  another…  …\n",
		27: "name              n  …\néééééééééééé  12345  …\nb                 6  …\n",
		9:  "name      …\nééééééé…  …\nb         …\n",
		1:  "name      …\nééééééé…  …\nb         …\n",
	} {
		table := NewTable(false, Left("name"), Right("n"), Left("note"), Graph("trend"))
		table.Fit(width)
		table.Add("éééééééééééé", "12345", "a longer note", "▁▂▃")
		table.Add("b", "6", "another longer", "▁")
		var b strings.Builder
		if err := table.Write(&b); err != nil || b.String() != want {
			t.Errorf("in %d characters: got\n%swant\n%s(%v)", width, b.String(), want, err)
		}
		for line := range strings.Lines(b.String()) {
			if n := utf8.RuneCountInString(line) - 1; width > 11 && n > width {
				t.Errorf("in %d characters: a line of %d", width, n)
			}
		}
	}
}

func TestBytes(t *testing.T) {
	for n, want := range map[int64]string{
		1: "1 byte", 10239: "10239 bytes", 10240: "10240 bytes (10.0 KiB)", 1 << 30: "1073741824 bytes (1024.0 MiB)",
		1 << 40: "1099511627776 bytes (1024.0 GiB)",
	} {
		if got := Bytes(n); got != want {
			t.Errorf("%d: got %s, want %s", n, got, want)
		}
	}
}

func TestPlot(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	lines, low, high := Plot([]float64{0, nan, 1, -inf}, []float64{0, nan, 3, inf}, 3)
	if want := []string{"  ██", "  ██", "█  █"}; !slices.Equal(lines, want) || low != 0 || high != 3 {
		t.Errorf("got %q from %v to %v, want %q", lines, low, high, want)
	}
	if _, low, high := Plot([]float64{nan}, []float64{nan}, 2); low == low || high == high {
		t.Errorf("of nothing: from %v to %v", low, high)
	}
	if lines, _, _ := Plot([]float64{5}, []float64{5}, 2); !slices.Equal(lines, []string{" ", "█"}) {
		t.Errorf("of one value: got %q", lines)
	}
	if lines, _, _ := Plot([]float64{-math.MaxFloat64, 0}, []float64{-math.MaxFloat64, math.MaxFloat64}, 2); !slices.Equal(lines, []string{" █", "█ "}) {
		t.Errorf("of a wide range: got %q", lines)
	}
}
