package modelsigning

import "fmt"

// pae is DSSE's pre-authentication encoding of a payload (DSSE protocol.md, "PAE"): the bytes that are signed.
func pae(payload []byte) []byte {
	return append(fmt.Appendf(nil, "DSSEv1 %d %s %d ", len(payloadType), payloadType, len(payload)), payload...)
}

// paeLegacy is what model_signing 0.2.0 signed instead: it put Python's repr of the payload's bytes into a text.
func paeLegacy(payload []byte) []byte {
	return appendRepr(fmt.Appendf(nil, "DSSEV1 %d %s %d ", len(payloadType), payloadType, len(payload)), payload)
}

// appendRepr appends Python's repr of a bytes object (Objects/bytesobject.c, PyBytes_Repr).
func appendRepr(out, b []byte) []byte {
	single, double := false, false
	for _, c := range b {
		single, double = single || c == '\'', double || c == '"'
	}
	quote := byte('\'')
	if single && !double {
		quote = '"'
	}
	out = append(out, 'b', quote)
	for _, c := range b {
		switch {
		case c == quote || c == '\\':
			out = append(out, '\\', c)
		case c == '\t', c == '\n', c == '\r':
			out = append(out, '\\', map[byte]byte{'\t': 't', '\n': 'n', '\r': 'r'}[c])
		case c < ' ' || c >= 0x7f:
			out = fmt.Appendf(out, `\x%02x`, c)
		default:
			out = append(out, c)
		}
	}
	return append(out, quote)
}
