package structured

import "testing"

type event struct {
	ID    int64    `json:"id"`
	Score float64  `json:"score"`
	Name  string   `json:"name"`
	OK    bool     `json:"ok"`
	Tags  []string `json:"tags"`
}

var sample = event{ID: 123456789, Score: 0.25, Name: "page_view", OK: true, Tags: []string{"web", "eu"}}

func eachFormat(b *testing.B, run func(b *testing.B, f Format)) {
	for _, f := range []Format{MsgPack, CBOR} {
		b.Run(f.String(), func(b *testing.B) { run(b, f) })
	}
}

func BenchmarkAppendStruct(b *testing.B) {
	eachFormat(b, func(b *testing.B, f Format) {
		c, _ := New[event](f)
		v, dst := sample, []byte(nil)
		b.ReportAllocs()
		for b.Loop() {
			dst, _ = c.Append(dst[:0], &v)
		}
	})
}

func BenchmarkDecodeStruct(b *testing.B) {
	eachFormat(b, func(b *testing.B, f Format) {
		c, _ := New[event](f)
		v := sample
		src, _ := c.Append(nil, &v)
		b.ReportAllocs()
		for b.Loop() {
			_ = c.Decode(src, &v)
		}
	})
}

func BenchmarkAppendAny(b *testing.B) {
	eachFormat(b, func(b *testing.B, f Format) {
		c, _ := New[any](f)
		var v any = map[string]any{"id": int64(123456789), "score": 0.25, "name": "page_view", "ok": true, "tags": []any{"web", "eu"}}
		dst := []byte(nil)
		b.ReportAllocs()
		for b.Loop() {
			dst, _ = c.Append(dst[:0], &v)
		}
	})
}

func BenchmarkDecodeAny(b *testing.B) {
	eachFormat(b, func(b *testing.B, f Format) {
		c, _ := New[event](f)
		v := sample
		src, _ := c.Append(nil, &v)
		dynamic, _ := New[any](f)
		var x any
		b.ReportAllocs()
		for b.Loop() {
			_ = dynamic.Decode(src, &x)
		}
	})
}
