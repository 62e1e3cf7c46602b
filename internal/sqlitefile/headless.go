package sqlitefile

import "encoding/binary"

// Headless is a chain of pages that no row leads to: the page that had the row,
// and with it the first bytes, cannot be read any more.
type Headless struct {
	// Page is the page that had the row, 0 where that is not known.
	Page uint32

	f     *File
	pages []uint32
}

// Headless finds these chains, as far as they are whole: every page names the
// next, the last names none, and the pointer map says the same of each. Without a
// map nothing tells such a chain from what was deleted but the list of free
// pages, so there are none if that is not whole. Follow all rows before.
func (f *File) Headless() (found []Headless) {
	if !f.mapped && !f.listed {
		return nil
	}
	next := func(n uint32) (uint32, bool) {
		p, err := f.Page(n)
		if err != nil {
			return 0, false
		}
		return binary.BigEndian.Uint32(p), true
	}
	named := newBitmap(f.pages) // by another page
	if !f.mapped {
		for n := uint32(2); n <= f.pages; n++ {
			if after, ok := next(n); ok && !f.used.has(n) {
				named.set(after)
			}
		}
	}
	taken := newBitmap(f.pages)
	for n := uint32(2); n <= f.pages; n++ {
		kind, parent := f.owner(n)
		if f.used.has(n) || f.mapped && kind != ownerCell || !f.mapped && named.has(n) {
			continue
		}
		h := Headless{Page: parent, f: f}
		page, whole := n, true
		for whole && page != 0 {
			whole = page <= f.pages && !f.used.has(page) && !taken.has(page)
			if k := len(h.pages); whole && k > 0 && f.mapped {
				kind, parent := f.owner(page)
				whole = kind == ownerChain && parent == h.pages[k-1]
			}
			if whole {
				taken.set(page)
				h.pages = append(h.pages, page)
				page, whole = next(page)
			}
		}
		if whole {
			found = append(found, h)
		}
	}
	return found
}

// First is the first page of the chain.
func (h *Headless) First() uint32 { return h.pages[0] }

// Pages is how many pages the chain has.
func (h *Headless) Pages() int { return len(h.pages) }

// Known is what is known of a field of a row: the value of an integer, the size
// in bytes of a BLOB or of text.
type Known struct {
	Kind  Kind
	Value int64
}

// ChainPages is how many pages the chain of a row with these fields has.
func (f *File) ChainPages(known []Known) int {
	b, _ := f.known(known)
	return int((b.size - int64(b.local) + b.room() - 1) / b.room())
}

// Row is the row of a table that the chain is the end of, if it can be one with
// these fields: the chain is as long as it takes, and the integers in it are
// where and what they should be. Nothing of the row that lay in its page can be
// read. Certain says that no row with a field of another size could end so: where
// the rest of a row fills its pages to the last byte, its beginning may have been
// longer.
func (h *Headless) Row(known []Known) (row *Row, certain, ok bool) {
	b, fields := h.f.known(known)
	rest := b.size - int64(b.local)
	if rest <= 0 || (rest+b.room()-1)/b.room() != int64(len(h.pages)) {
		return nil, false, false
	}
	h.fill(&b)
	row = &Row{Page: h.Page, Fields: fields, body: &b}
	for k := range fields {
		if field := &fields[k]; field.stored > 0 && field.offset >= int64(b.local) {
			if v, read := row.Int(k); !read || v != known[k].Value {
				return nil, false, false
			}
			certain = true
		}
	}
	return row, certain && rest%b.room() != 0, true
}

// Rest is all bytes of the chain, those behind the row included.
func (h *Headless) Rest() Value {
	b := payload{f: h.f, size: int64(len(h.pages)) * int64(h.f.usable-4)}
	h.fill(&b)
	return Value{Size: b.size, body: &b}
}

// Take makes the pages of the chain count as used.
func (h *Headless) Take() {
	for _, page := range h.pages {
		h.f.used.set(page)
	}
}

// fill makes the chain that of a payload.
func (h *Headless) fill(b *payload) {
	b.page, b.headless, b.followed = h.Page, true, true
	for _, page := range h.pages {
		b.add(run{page: page, pages: 1})
	}
}

// known is where the fields of a row of a table lie, and its size.
func (f *File) known(known []Known) (b payload, fields []Field) {
	head, at := int64(0), int64(0)
	for _, k := range known {
		field := Field{Kind: k.Kind, offset: at}
		kind := uint64(0)
		switch {
		case k.Kind == Integer && (k.Value == 0 || k.Value == 1):
			field.value = k.Value
		case k.Kind == Integer:
			field.stored = bytesOf(k.Value)
		case k.Kind >= Text:
			field.Size, kind = k.Value, 2*uint64(k.Value)+12
		}
		head += int64(varintSize(kind))
		at += field.Size + int64(field.stored)
		fields = append(fields, field)
	}
	if head++; head > 0x7f {
		head++
	}
	for k := range fields {
		fields[k].offset += head
	}
	b = payload{f: f, size: head + at}
	b.local = f.localSize(b.size, false)
	return b, fields
}

// varintSize is how many bytes a number takes.
func varintSize(v uint64) int {
	n := 1
	for ; v > 0x7f && n < 9; v >>= 7 {
		n++
	}
	return n
}
