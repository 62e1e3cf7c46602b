package main

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"

	"columnvault/cmd/columnvault/internal/columns"
	"columnvault/cmd/columnvault/internal/term"
	"columnvault/dtype"
	"columnvault/internal/excerpt"
	"columnvault/internal/values"
)

// textWidth is how much of a text is shown in a table.
const textWidth = 20

// showType shows a dtype, and what the elements mean beyond it.
func showType(dtype string, m dtype.Meaning) string {
	return strings.TrimRight(excerpt.Printable(dtype)+" "+m.String(), " ")
}

// showValue shows a value in a table, if there is one: long text cut, and floats
// with at most ten digits.
func showValue(spec dtype.Spec, m dtype.Meaning, v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		if v == "" {
			return `""`
		}
		return excerpt.Printable(excerpt.Shorten(v, textWidth))
	case float64:
		if text := values.AppendFloat(nil, v, 64); len(text) > len("-1234567.891") {
			return showFloat(v)
		}
	}
	return strings.Trim(string(values.NewPrinter(spec, m).Append(nil, v)), `"`) // "Infinity" and times have quotes
}

// showMean shows a mean with six digits.
func showMean(s columns.Summary) string {
	if _, timed := s.Min.(time.Time); timed || !s.HasNumbers() {
		return ""
	}
	switch abs := math.Abs(s.Mean); {
	case math.IsInf(abs, 0) || math.IsNaN(abs):
		return strings.Trim(string(values.AppendFloat(nil, s.Mean, 64)), `"`)
	case abs >= 1e6 && abs < 1e16:
		return strconv.FormatFloat(s.Mean, 'f', 0, 64)
	}
	return strconv.FormatFloat(s.Mean, 'g', 6, 64)
}

func showTrend(s columns.Summary) string {
	if !s.HasNumbers() {
		return ""
	}
	return strings.TrimRight(term.Sparkline(s.Trend), " ")
}

// showFloat shows a float with at most ten digits.
func showFloat(f float64) string {
	if math.IsInf(f, 0) {
		return strings.Trim(string(values.AppendFloat(nil, f, 64)), `"`)
	}
	return strconv.FormatFloat(f, 'g', 10, 64)
}

// showCount shows a number that is mostly 0.
func showCount(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func showInt(n int64) string { return strconv.FormatInt(n, 10) }

// jsonOf prints a value, null if there is none.
func jsonOf(spec dtype.Spec, m dtype.Meaning, v any) json.RawMessage {
	if v == nil {
		return json.RawMessage("null")
	}
	return values.NewPrinter(spec, m).Append(nil, v)
}
