package viewer

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"slices"
	"unicode/utf8"

	"columnvault"
	"columnvault/internal/values"
)

// maxKeys is the most keys of an answer.
const maxKeys = 200

// keyList are keys of a table, in the order of their bytes.
type keyList struct {
	Keys []listedKey `json:"keys"`
	// More says that there are others after these.
	More bool `json:"more"`
	// Long is how many keys among these are left out, because they are too long to
	// be asked for.
	Long int `json:"long,omitempty"`
}

type listedKey struct {
	// Key is the key in base64, by which it is asked for, and Text is how it is
	// shown.
	Key      string `json:"key"`
	Text     string `json:"text"`
	Encoding string `json:"encoding"`
	Size     int64  `json:"size"`
	Error    string `json:"error,omitempty"`
}

func (h *handler) keys(ctx context.Context, p *params) (any, error) {
	table, prefix, after, n := p.name("table"), p.text("prefix", maxText), p.key("after"), p.count("count", maxKeys, 1, maxKeys)
	if p.err != nil {
		return nil, p.err
	}
	span := columnvault.Range{Prefix: []byte(prefix)}
	if len(after) > 0 {
		span.From = append(after, 0) // the next that there can be
	}
	out := keyList{Keys: []listedKey{}}
	err := h.v.View(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
		if names, err := tx.Tables(ctx); err != nil || !slices.Contains(names, table) {
			return errors.Join(err, refusal{http.StatusNotFound, "there is no such table"})
		}
		kv := h.v.KVTable(table).In(tx)
		for key, err := range kv.Keys(ctx, &span) {
			if err != nil {
				return err
			}
			if len(key) > longestKey {
				out.Long++
				continue
			}
			if out.More = len(out.Keys) == n; out.More {
				break
			}
			out.Keys = append(out.Keys, listedKey{Key: base64.RawURLEncoding.EncodeToString(key), Text: values.ShowKey(key)})
			k := &out.Keys[len(out.Keys)-1]
			info, err := kv.Stat(ctx, key)
			if isGone(err) || ctx.Err() != nil {
				return err
			}
			if err != nil {
				w := reply{path: h.v.Path()}
				k.Error = w.describe(err).Error
				continue
			}
			k.Encoding, k.Size = info.Encoding.String(), info.Size
		}
		return nil
	})
	return out, err
}

// keyValue is the value of a key, as large as the page can show it.
type keyValue struct {
	listedKey
	// Type is what the bytes are, by their content: a type of pictures, or
	// text/plain, or application/octet-stream.
	Type  string `json:"type"`
	Value *shown `json:"value,omitempty"`
}

// decoded is how long a value may be that is decoded for the page.
const decoded = 8 << 20

func (h *handler) key(ctx context.Context, p *params) (any, error) {
	table, key := p.name("table"), p.key("key")
	if p.err != nil {
		return nil, p.err
	}
	out := keyValue{listedKey: listedKey{Key: base64.RawURLEncoding.EncodeToString(key), Text: values.ShowKey(key)}}
	err := h.v.View(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
		kv := h.v.KVTable(table).In(tx)
		payload, info, err := openPayload(ctx, kv, key)
		if err != nil {
			return err
		}
		defer payload.Close()
		out.Encoding, out.Size = info.Encoding.String(), info.Size
		out.Type, err = payload.sniff()
		if err != nil || payload.Size() > decoded || isPicture(out.Type) {
			return err
		}
		v, err := columnvault.GetValue[any](ctx, kv, key)
		if err != nil {
			w := reply{path: h.v.Path()}
			out.Error = w.describe(err).Error
			return ctx.Err()
		}
		s := showStored(v, valueRoom)
		if b, ok := v.([]byte); ok && out.Type == plainText {
			s = cut(shown{Kind: "text", Text: string(b), Size: len(b)}, valueRoom)
		}
		out.Value = &s
		return nil
	})
	return out, err
}

// payload is a value without its header.
type payload struct {
	*io.SectionReader
	blob *columnvault.Blob
}

func (p payload) Close() error { return p.blob.Close() }

func openPayload(ctx context.Context, kv *columnvault.KV, key []byte) (payload, columnvault.ValueInfo, error) {
	blob, err := kv.OpenBlob(ctx, key)
	if err != nil {
		return payload{}, columnvault.ValueInfo{}, err
	}
	info, err := kv.Stat(ctx, key)
	if err != nil {
		blob.Close()
		return payload{}, info, err
	}
	return payload{io.NewSectionReader(blob, blob.Size()-info.Size, info.Size), blob}, info, nil
}

const (
	plainText = "text/plain; charset=utf-8"
	octets    = "application/octet-stream"
)

// pictures are the types that a browser shows as pictures and nothing else. SVG
// is none of them: it is a page with scripts.
var pictures = []string{"image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp", "image/avif"}

func isPicture(contentType string) bool { return slices.Contains(pictures, contentType) }

// sniff tells by the first bytes what a value is.
func (p payload) sniff() (string, error) {
	head := make([]byte, min(p.Size(), 4096))
	if _, err := p.ReadAt(head, 0); err != nil && err != io.EOF {
		return "", err
	}
	return sniff(head), nil
}

func sniff(head []byte) string {
	if len(head) >= 12 && bytes.Equal(head[4:12], []byte("ftypavif")) {
		return "image/avif"
	}
	if found := http.DetectContentType(head); isPicture(found) {
		return found
	}
	// A character may be cut at the end.
	for range utf8.UTFMax {
		if utf8.Valid(head) {
			break
		}
		head = head[:max(0, len(head)-1)]
	}
	if len(head) > 0 && utf8.Valid(head) && !bytes.ContainsFunc(head, isControl) {
		return plainText
	}
	return octets
}

func isControl(r rune) bool { return r < ' ' && r != '\n' && r != '\r' && r != '\t' || r == 0x7f }
