package circleci

import (
	"strings"
	"unicode"
)

// mostInLine is how many bytes of a foreign text a line contains.
const mostInLine = 300

// oneLine makes a text from outside fit into a line of an error, a log or a
// terminal: without escape sequences, control characters and line breaks, and
// not too long.
func oneLine(s string) string {
	if len(s) > 64*mostInLine {
		s = s[:64*mostInLine] // the rest would be cut off anyway
	}
	s = strings.Join(strings.FieldsFunc(withoutEscapes(s), func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || r == unicode.ReplacementChar
	}), " ")
	if len(s) <= mostInLine {
		return s
	}
	cut := mostInLine
	for cut > 0 && s[cut]&0xc0 == 0x80 { // not within a character
		cut--
	}
	return s[:cut] + "…"
}

// plainText makes a text from outside, such as a log, fit for a terminal: it
// keeps its lines and tabs, and loses escape sequences and control characters.
func plainText(s string) string {
	s = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(withoutEscapes(s))
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, s)
}

// withoutEscapes removes terminal escape sequences, and the characters that
// change the direction of a text.
func withoutEscapes(s string) string {
	s = strings.ToValidUTF8(s, string(unicode.ReplacementChar))
	if !strings.ContainsFunc(s, startsEscape) {
		return s
	}
	var b strings.Builder
	for s != "" {
		i := strings.IndexFunc(s, startsEscape)
		if i < 0 {
			break
		}
		b.WriteString(s[:i])
		s = afterEscape(s[i:])
	}
	return b.String() + s
}

const escape, csi, osc = '\x1b', '\u009b', '\u009d'

func startsEscape(r rune) bool {
	return r == escape || r == csi || r == osc || unicode.Is(unicode.Bidi_Control, r)
}

// afterEscape returns what follows the escape sequence that s begins with.
func afterEscape(s string) string {
	kind := ' '
	for i, r := range s {
		switch {
		case i == 0 && r == csi, kind == escape && r == '[':
			kind = csi
		case i == 0 && r == osc, kind == escape && strings.ContainsRune("]PX^_", r):
			kind = osc
		case i == 0 && r == escape:
			kind = escape
		case i == 0, kind == escape && (r < ' ' || r > '/'), kind == csi && r >= '@':
			return s[i+len(string(r)):]
		case kind == osc && (r == '\a' || r == '\u009c'):
			return s[i+len(string(r)):]
		case kind == osc && r == escape:
			return strings.TrimPrefix(s[i+1:], `\`)
		case r == '\n' || r == escape: // it was cut off
			return s[i:]
		}
	}
	return ""
}
