package browsertest

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"columnvault"
	"columnvault/dtype"
)

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// open opens a vault for the time of the test.
func open(t testing.TB, path string) *columnvault.Vault {
	t.Helper()
	v, err := columnvault.Open(t.Context(), path, nil)
	check(t, err)
	t.Cleanup(func() { v.Close() })
	return v
}

func add[T any](t testing.TB, v *columnvault.Vault, name string, typ dtype.Type[T], values []T) {
	t.Helper()
	ctx := context.Background()
	c, err := columnvault.Create(ctx, v, name, typ, nil)
	check(t, err)
	check(t, c.Append(ctx, values...))
}

// begin is the time of the first row of the station.
var begin = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

// demo makes a vault with something of everything: a weather station of some
// 190,000 rows, trips, pictures and notes under keys.
func demo(t testing.TB, rows int) string {
	path := filepath.Join(t.TempDir(), "station.db")
	v := open(t, path)
	r := rand.New(rand.NewPCG(7, 8))
	times, temp, wind := make([]time.Time, rows), make([]sql.Null[float64], rows), make([]float32, rows)
	battery, state := make([]int64, rows), make([]string, rows)
	drift := 0.0
	for i := range rows {
		day := float64(i) / 1440
		drift = 0.999*drift + 0.06*r.NormFloat64()
		times[i] = begin.Add(time.Duration(i) * time.Minute)
		temp[i] = sql.Null[float64]{V: math.Round(100*(9+8*math.Sin(2*math.Pi*(day-30)/200)+5*math.Sin(2*math.Pi*(day-0.375))+3*drift)) / 100, Valid: r.IntN(400) > 0}
		wind[i] = float32(math.Abs(3+2*math.Sin(day/3)+drift+1.2*r.NormFloat64()) + math.Pow(r.Float64(), 60)*22)
		battery[i] = 4200 - int64(i%9000)/15
		state[i] = []string{"dry", "dry", "dry", "rain", "fog"}[(i/700+i/3100)%5]
	}
	add(t, v, "station.time", dtype.Timestamp(dtype.Millisecond, ""), times)
	add(t, v, "station.temperature", dtype.Nullable(dtype.Float64), temp)
	add(t, v, "station.wind", dtype.Float32, wind)
	add(t, v, "station.battery", dtype.Int64, battery)
	add(t, v, "station.state", dtype.String, state)
	trips := 2400
	city, km, notes, shape := make([]string, trips), make([]float64, trips), make([]any, trips), make([][]float32, trips)
	for i := range trips {
		city[i] = []string{"Bergen", "Oslo", "Trondheim", "Ålesund"}[r.IntN(4)]
		km[i] = math.Round(10*math.Exp(2+0.8*r.NormFloat64())) / 10
		notes[i] = map[string]any{"driver": fmt.Sprintf("d%02d", r.IntN(30)), "stops": []any{int64(r.IntN(9)), int64(r.IntN(9))}, "paid": r.IntN(4) > 0}
		shape[i] = make([]float32, 64)
		phase, f := r.Float64()*6, 1+r.Float64()*3
		for k := range shape[i] {
			shape[i][k] = float32(math.Sin(phase+f*float64(k)/10) + 0.2*r.NormFloat64())
		}
	}
	add(t, v, "trips.city", dtype.String, city)
	add(t, v, "trips.km", dtype.Float64, km)
	add(t, v, "trips.details", dtype.MsgPack[any](), notes)
	add(t, v, "trips.embedding", dtype.Vector[float32](64), shape)
	ctx := context.Background()
	kv := v.KV()
	check(t, kv.Put(ctx, []byte("pictures/harbour.png"), picture(t, 480, 300)))
	check(t, kv.PutValue(ctx, []byte("notes/read me"), "The station stands on the roof of the harbour office.\nIt is read once a minute."))
	check(t, kv.PutValue(ctx, []byte("station"), map[string]any{"name": "Harbour", "height": 47.5, "place": map[string]any{"lat": 60.397, "lon": 5.32}, "sensors": []any{"temperature", "wind", "battery"}}))
	check(t, kv.Put(ctx, []byte("raw/first"), []byte{0, 1, 2, 3, 0xfe, 0xff, 'a', 'b'}))
	check(t, v.Close())
	return path
}

// picture is hills in the evening.
func picture(t testing.TB, w, h int) []byte {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			s := float64(y) / float64(h)
			c := color.RGBA{uint8(250 - 120*s), uint8(200 - 90*s), uint8(150 + 40*s), 255}
			for k := range 4 {
				edge := 0.45 + 0.13*float64(k) + 0.05*math.Sin(float64(x)/float64(40+17*k)+float64(2*k))
				if s > edge {
					c = color.RGBA{uint8(60 - 12*k), uint8(90 - 14*k), uint8(110 - 12*k), 255}
				}
			}
			img.Set(x, y, c)
		}
	}
	var b bytes.Buffer
	check(t, png.Encode(&b, img))
	return b.Bytes()
}
