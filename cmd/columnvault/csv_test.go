package main

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// readCSV reads the records of a file after the header.
func readCSV(text string) (records [][]field, err error) {
	f, err := newCSVFile(strings.NewReader(text))
	if err != nil {
		return nil, err
	}
	for {
		fields, err := f.next()
		if errors.Is(err, io.EOF) {
			return records, nil
		}
		if err != nil {
			return nil, err
		}
		record := slices.Clone(fields)
		for i := range record {
			record[i].text = slices.Clone(record[i].text)
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
				text = appendCell(text, s)
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
				if f := got[i][j]; string(f.text) != s || f.state == absent {
					t.Fatalf("%q: record %d, field %d is %q, want %q", text, i, j, f.text, s)
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
				cells = append(cells, map[fieldState]string{absent: "-", quotedAbsent: "-"}[f.state]+string(f.text))
			}
			rows = append(rows, strings.Join(cells, "|"))
		}
		if got := strings.Join(rows, ";"); got != c.want {
			t.Errorf("%q: got %q, want %q", c.text, got, c.want)
		}
	}
}

// TestJSONSplit compares the fields of objects with what encoding/json says.
func TestJSONSplit(t *testing.T) {
	key := rapid.StringN(1, -1, 10).Filter(func(s string) bool { return s != "" })
	f := newJSONFile(strings.NewReader(""), "")
	rapid.Check(t, func(t *rapid.T) {
		line, err := json.Marshal(rapid.MapOfN(key, rapid.OneOf(genAny(2), genAny(0)), 0, 5).Draw(t, "object"))
		if err != nil {
			t.Skip(err)
		}
		if rapid.Bool().Draw(t, "spaces") {
			line = []byte(strings.NewReplacer(",\"", " ,\t\"", "\":", "\" : ").Replace(string(line)))
		}
		var want map[string]json.RawMessage
		if err := json.Unmarshal(line, &want); err != nil {
			t.Skip(err)
		}
		f.lines.number++
		if err := f.split(line); err != nil {
			t.Fatal(err)
		}
		got := map[string]json.RawMessage{}
		for i, field := range f.fields {
			if field.state == present || f.seen[i] == f.line() {
				got[f.keys[i]] = json.RawMessage(field.text)
			}
		}
		if !maps.EqualFunc(got, want, func(a, b json.RawMessage) bool { return string(a) == string(b) }) {
			t.Fatalf("%s\ngot  %s\nwant %s", line, got, want)
		}
	})
}
