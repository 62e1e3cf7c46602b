package viewer

import (
	"bytes"
	"context"
	"io"
	"mime"
	"net/http"
	"strings"

	"columnvault"
	"columnvault/dtype"
)

// kept is how long a value may be that is read whole before it is sent. Longer
// ones keep their snapshot until the browser has them.
const kept = 8 << 20

// elementContent sends an element to be saved.
func (h *handler) elementContent(w *reply, r *http.Request, p *params) error {
	name, at := p.name("column"), p.position("position", 0)
	if p.err != nil {
		return p.err
	}
	var body []byte
	ending := ".txt"
	err := h.inTurn(r.Context(), func(ctx context.Context) error {
		return h.v.View(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
			c, err := open(ctx, tx, name)
			if err != nil {
				return err
			}
			v, err := c.At(ctx, at)
			switch v := v.(type) {
			case []byte:
				if c.spec.Kind == dtype.KindBytes {
					body, ending = v, ".bin"
					return err
				}
			case string:
				if c.spec.Kind == dtype.KindText {
					body = []byte(v)
					return err
				}
			}
			if kind := kindOf(c.spec, c.meaning); kind == "json" || kind == "vector" {
				ending = ".json"
			}
			body = []byte(show(c.spec, c.meaning, v, room{text: 1 << 62}).Text)
			return err
		})
	})
	if err != nil {
		return err
	}
	w.attach(name + ending)
	return w.whole(http.StatusOK, octets, body)
}

// keyContent sends the value of a key: a picture or text to be shown, or
// anything to be saved.
func (h *handler) keyContent(w *reply, r *http.Request, p *params) error {
	table, key, save := p.name("table"), p.key("key"), p.flag("download")
	if p.err != nil {
		return p.err
	}
	var value payload
	var contentType string
	var body []byte
	err := h.inTurn(r.Context(), func(context.Context) (err error) {
		// With the ctx of the request, because a long value outlives the turn.
		value, _, err = openPayload(r.Context(), h.v.KVTable(table), key)
		if err != nil {
			return err
		}
		contentType, err = value.sniff()
		if err == nil && value.Size() <= kept {
			body, err = io.ReadAll(value)
		}
		if err != nil || body != nil {
			value.Close()
		}
		return err
	})
	if err != nil {
		return err
	}
	w.Header().Set("Content-Security-Policy", contentPolicy)
	if save || contentType == octets {
		contentType = octets
		w.attach(string(key))
	}
	if body != nil {
		return w.whole(http.StatusOK, contentType, body)
	}
	defer value.Close()
	return w.send(http.StatusOK, contentType, value.Size(), func() error {
		_, err := io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{value}, make([]byte, piece))
		return err
	})
}

// attach makes the browser save the answer under a name, and never show it.
func (w *reply) attach(name string) {
	name = strings.Map(func(r rune) rune {
		if r < ' ' || strings.ContainsRune(`/\:*?"<>|`, r) || r == 0x7f {
			return '_'
		}
		return r
	}, strings.ToValidUTF8(name, "_"))
	w.Header().Set("Content-Security-Policy", contentPolicy)
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
}

// bounded collects bytes up to a number of them.
type bounded struct {
	bytes.Buffer
	most int
}

// Write implements [io.Writer].
func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > b.most {
		return 0, refusal{http.StatusUnprocessableEntity, "the result is too large for a browser: ask for less, or use columnvault sql"}
	}
	return b.Buffer.Write(p)
}
