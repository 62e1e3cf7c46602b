package dtype

// String is text in UTF-8 of any length: str:utf8.
var String Type[string] = Text(UTF8)

// Text is text of any length in the encoding e: str:ENC.
func Text(e Encoding) Type[string] {
	return text{newBase(Spec{Kind: KindText, Encoding: e})}
}

// FixedText is text in n bytes (not characters) in the encoding e, padded with zeros: str:N:ENC. Longer text is refused. NUL
// characters at the end of a value are lost, as they cannot be told from the padding.
func FixedText(n int, e Encoding) Type[string] {
	return text{newBase(Spec{Kind: KindText, Sized: true, Size: n, Encoding: e})}
}

type text struct{ *base }

func (t text) Append(dst []byte, v string) ([]byte, error) {
	if err := t.Err(); err != nil {
		return dst, err
	}
	out, err := t.spec.Encoding.append(dst, v)
	if err == nil {
		out, err = t.pad(out, len(out)-len(dst), func() string { return quote(v) })
	}
	if err != nil {
		return dst, err
	}
	return out, nil
}

func (t text) AppendAll(dst []byte, ends []int, vs []string) ([]byte, []int, error) {
	return appendEach(t, dst, ends, vs)
}

func (t text) Decode(src []byte) (string, error) {
	if err := t.Err(); err != nil {
		return "", err
	}
	src, err := t.element(src)
	if err != nil {
		return "", err
	}
	if t.spec.Sized {
		src = t.spec.Encoding.trim(src)
	}
	return t.spec.Encoding.decode(src)
}

func (t text) DecodeAll(dst []string, data []byte, ends []int) error {
	return decodeEach(t, dst, data, ends)
}

// Bytes returns nil: strings lie elsewhere.
func (text) Bytes([]string) []byte { return nil }

func (t text) Match(v string) ([][]byte, error) { return matchOne(t, v) }
