package viewer

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"
)

// coded begins the addresses of names that are not text: other programs give
// any bytes as names, or none.
const coded = "base64:"

// address is a name as addresses and JSON have it: the name itself where that is
// UTF-8, and else its bytes in base64, that of URLs, after "base64:". So is the
// empty name, which a parameter cannot have, and one that begins like that. Each
// name has one address, and each address is of one name.
func address(name string) string {
	if name != "" && utf8.ValidString(name) && !strings.HasPrefix(name, coded) {
		return name
	}
	return coded + base64.RawURLEncoding.EncodeToString([]byte(name))
}

// named is the name that has an address.
func named(text string) (name string, ok bool) {
	name = text
	if rest, is := strings.CutPrefix(text, coded); is {
		raw, err := base64.RawURLEncoding.Strict().DecodeString(rest)
		if err != nil {
			return "", false
		}
		name = string(raw)
	}
	return name, address(name) == text
}

// addressOf is the address of a name, empty if there is none.
func addressOf(name string) string {
	if name == "" {
		return ""
	}
	return address(name)
}
