package exchange

// jsonScanner cuts text that is known to be JSON into its values.
type jsonScanner struct{ rest []byte }

// next skips space and returns the next character.
func (s *jsonScanner) next() byte {
	for isSpace(s.rest[0]) {
		s.rest = s.rest[1:]
	}
	return s.rest[0]
}

// skip skips space and one character.
func (s *jsonScanner) skip() {
	s.next()
	s.rest = s.rest[1:]
}

// value returns the text of the next value.
func (s *jsonScanner) value() []byte {
	end := 1
	switch s.next() {
	case '"':
		end = endOfString(s.rest, 0)
	case '{', '[':
		end = endOfList(s.rest)
	default: // a number or a word, after which comes a comma or the end of the object
		for c := s.rest[end]; c != ',' && c != '}' && !isSpace(c); c = s.rest[end] {
			end++
		}
	}
	value := s.rest[:end]
	s.rest = s.rest[end:]
	return value
}

// endOfList returns the position after the list or object at the beginning.
func endOfList(text []byte) int {
	depth := 0
	for i := 0; ; {
		switch text[i] {
		case '"':
			i = endOfString(text, i)
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		if i++; depth == 0 {
			return i
		}
	}
}

// isSpace tells whether JSON allows c between values.
func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// endOfString returns the position after the JSON string that begins at i.
func endOfString(text []byte, i int) int {
	for i++; text[i] != '"'; i++ {
		if text[i] == '\\' {
			i++
		}
	}
	return i + 1
}
