package exchange

import (
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// readCSV reads the records of a file after the header.
func readCSV(text string) (records [][]Field, err error) {
	f, err := newCSVReader(strings.NewReader(text))
	if err != nil {
		return nil, err
	}
	for {
		fields, err := f.Next()
		if errors.Is(err, io.EOF) {
			return records, nil
		}
		if err != nil {
			return nil, err
		}
		record := slices.Clone(fields)
		for i := range record {
			record[i].Text = slices.Clone(record[i].Text)
		}
		records = append(records, record)
	}
}

// TestCSVRoundTrip writes any text as CSV, which encoding/csv must understand,
// and reads it back.
func TestCSVRoundTrip(t *testing.T) {
	cell := rapid.OneOf(rapid.String(), rapid.StringOf(rapid.SampledFrom([]rune("a,\"\r\n NA"))))
	rapid.Check(t, func(t *rapid.T) {
		width := rapid.IntRange(1, 4).Draw(t, "width")
		table := rapid.SliceOfN(rapid.SliceOfN(cell, width, width), 0, 5).Draw(t, "table")
		var text []byte
		for i := range width {
			text = append(text, byte('a'+i), ',')
		}
		text[len(text)-1] = '\n'
		for _, row := range table {
			for i, s := range row {
				if i > 0 {
					text = append(text, ',')
				}
				text = AppendCell(text, s)
			}
			text = append(text, '\n')
		}
		got, err := readCSV(string(text))
		if err != nil || len(got) != len(table) {
			t.Fatalf("%q: %d records, %v", text, len(got), err)
		}
		std, err := csv.NewReader(strings.NewReader(string(text))).ReadAll()
		if err != nil || len(std) != len(table)+1 {
			t.Fatalf("%q: encoding/csv has %d records, %v", text, len(std), err)
		}
		for i, row := range table {
			for j, s := range row {
				if f := got[i][j]; string(f.Text) != s || f.State == Absent {
					t.Fatalf("%q: record %d, field %d is %q, want %q", text, i, j, f.Text, s)
				}
				if want := strings.ReplaceAll(s, "\r\n", "\n"); std[i+1][j] != want {
					t.Fatalf("%q: encoding/csv has %q, want %q", text, std[i+1][j], want)
				}
			}
		}
	})
}

func TestCSVRecords(t *testing.T) {
	// A dash marks what is absent.
	for _, c := range []struct{ text, want string }{
		{"a,b\n1,2", "1|2"},
		{"a,b\r\n1,2\r\n", "1|2"},
		{"\ufeffa,b\n\"1\",2\n\n3,4\n", "1|2;3|4"},
		{"a\n1\n\n2\n", "1;-;2"},
		{"a,b\n,NA\n\"\",\"NA\"\n", "-|-NA;-|-NA"},
		{"a,b\n x ,\" y \"\n", " x | y "},
		{"a,b\n\"1\n2\",\"3\r\n\"\"4\"\"\"\n", "1\n2|3\r\n\"4\""},
		{"a,b\n5\" pipe,6\"\"\n", `5" pipe|6""`},
	} {
		got, err := readCSV(c.text)
		if err != nil {
			t.Errorf("%q: %v", c.text, err)
			continue
		}
		var rows []string
		for _, record := range got {
			var cells []string
			for _, f := range record {
				cells = append(cells, map[State]string{Absent: "-", QuotedAbsent: "-"}[f.State]+string(f.Text))
			}
			rows = append(rows, strings.Join(cells, "|"))
		}
		if got := strings.Join(rows, ";"); got != c.want {
			t.Errorf("%q: got %q, want %q", c.text, got, c.want)
		}
	}
}
