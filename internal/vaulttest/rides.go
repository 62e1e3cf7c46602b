package vaulttest

import (
	"database/sql"
	"fmt"
	"time"
)

// Ride is a row of the table "rides" in testdata/own/table.db.
type Ride struct {
	At    time.Time `columnvault:",time=ms"`
	Day   time.Time `columnvault:"day,date"`
	Seen  sql.Null[time.Time]
	Stop  string
	Note  sql.Null[string]
	Tip   sql.Null[int]
	Fare  sql.Null[float64]
	Seats int
}

// Rides are its rows.
func Rides() []Ride {
	return Sequence(40, func(i int) Ride {
		r := Ride{At: time.UnixMilli(1785499200123 + int64(i)).UTC(), Day: time.Date(2026, 7, 1+i%31, 0, 0, 0, 0, time.UTC), Stop: fmt.Sprint("stop ", i), Seats: i}
		if i%3 > 0 {
			r.Seen = sql.Null[time.Time]{V: time.UnixMicro(int64(i)).UTC(), Valid: true}
			r.Note = sql.Null[string]{V: fmt.Sprint("note ", i%3), Valid: true}
		}
		if i%4 > 0 {
			r.Tip, r.Fare = sql.Null[int]{V: -i, Valid: true}, sql.Null[float64]{V: float64(i) / 8, Valid: true}
		}
		return r
	})
}
