package fit

import (
	"encoding/base64"
	"fmt"
	"math"
	"math/big"
	"strings"

	"columnvault/dtype"
	"columnvault/exchange"
	"columnvault/internal/values"
)

// Any returns a value of a field as one that msgpack holds: times and dates are
// text, bytes an object as in JSON lines, and the infinities, which the JSON
// model lacks, text. NaN is null, as it is in msgpack of other programs.
func Any(f exchange.Field, v any) any {
	switch v := v.(type) {
	case int64:
		if m := values.NewMoment(f.Meaning); m.Is() {
			return string(m.AppendBare(nil, v))
		}
	case float32:
		return anyFloat(float64(v))
	case float64:
		return anyFloat(v)
	case []byte:
		return map[string]any{"$base64": true, "encoded": base64.StdEncoding.EncodeToString(v)}
	}
	return v
}

func anyFloat(f float64) any {
	switch {
	case f != f:
		return nil
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	}
	return f
}

// BigEndian returns an integer in two's complement, its highest byte first.
func BigEndian(b []byte) *big.Int {
	n := new(big.Int).SetBytes(b)
	if len(b) > 0 && b[0]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	return n
}

// maxDigits bounds decimals.
const maxDigits = 1000

// DecimalText returns a decimal, an integer of which the last scale digits stand
// after the point, as text.
func DecimalText(n *big.Int, scale int) (string, error) {
	if n.BitLen() > 3*maxDigits || scale < -maxDigits || scale > maxDigits {
		return "", fmt.Errorf("%w: a decimal has too many digits", dtype.ErrValue)
	}
	digits := new(big.Int).Abs(n).String()
	if scale < 0 {
		digits += strings.Repeat("0", -scale)
	}
	if len(digits) <= scale {
		digits = strings.Repeat("0", scale+1-len(digits)) + digits
	}
	if scale > 0 {
		digits = digits[:len(digits)-scale] + "." + digits[len(digits)-scale:]
	}
	if n.Sign() < 0 {
		digits = "-" + digits
	}
	return digits, nil
}

// DecimalFloat returns a decimal as the nearest f64.
func DecimalFloat(n *big.Int, scale int) (float64, error) {
	s, err := DecimalText(n, scale)
	if err != nil {
		return 0, err
	}
	return values.ParseFloat([]byte(s), 64)
}

// Stored returns numbers as they lie in a vault, and in most files: that is the
// memory of the list, where it can be.
func Stored[T dtype.Element](t dtype.Type[T], list []T) ([]byte, error) {
	if b := t.Bytes(list); b != nil {
		return b, nil
	}
	b, _, err := t.AppendAll(nil, nil, list)
	return b, err
}
