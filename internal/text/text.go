// Package text makes texts from outside safe to show.
package text

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// usual is how many bytes of a text a line shows by default.
const usual = 300

// Line makes a text safe for one line of a terminal or log. It removes escape
// sequences, control characters, line breaks and characters that change the
// writing direction, and shortens the text to 300 bytes.
func Line(s string) string { return LineOf(s, usual) }

// LineOf is like Line, with a limit of most bytes. A shortened text ends with
// an ellipsis.
func LineOf(s string, most int) string {
	if len(s) <= most && isPlain(s) {
		return s
	}
	var b strings.Builder
	gap := false
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if n := escape(s[i:]); n > 0 {
			i += n
			continue
		}
		i += size
		switch {
		case unicode.Is(unicode.Bidi_Control, r):
			continue
		case unicode.IsSpace(r), unicode.IsControl(r), r == utf8.RuneError:
			gap = b.Len() > 0
			continue
		}
		if gap {
			size++
		}
		if b.Len()+size > most {
			return b.String() + "…"
		}
		if gap {
			b.WriteByte(' ')
			gap = false
		}
		b.WriteRune(r)
	}
	return b.String()
}

// isPlain reports whether a text needs no change.
func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] >= 0x7f || s[i] == ' ' && (i == 0 || i == len(s)-1 || s[i-1] == ' ') {
			return false
		}
	}
	return true
}

// escape returns the length of the terminal escape sequence at the start of s;
// 0 if there is none. An unterminated sequence extends to the end of the line.
func escape(s string) int {
	const end = "\x1b\\"
	const length = 2
	var introducer byte
	switch {
	case strings.HasPrefix(s, "\x1b") && len(s) > 1:
		introducer = s[1]
	case strings.HasPrefix(s, "\u009b"), strings.HasPrefix(s, "\u009d"), strings.HasPrefix(s, "\u0090"):
		introducer = s[1] - 0x40 // the same in one character
	default:
		return 0
	}
	switch rest := s[length:]; introducer {
	case '[':
		for i := range len(rest) {
			if c := rest[i]; c >= '@' && c <= '~' {
				return length + i + 1
			} else if c < ' ' || c > '~' {
				return length + i
			}
		}
		return len(s)
	case ']', 'P', 'X', '^', '_':
		for i := range len(rest) {
			if rest[i] == '\a' {
				return length + i + 1
			}
			if strings.HasPrefix(rest[i:], end) {
				return length + i + len(end)
			}
			if rest[i] == '\n' {
				return length + i
			}
		}
		return len(s)
	case '(', ')', '*', '+', '#', ' ':
		return min(length+1, len(s))
	}
	if introducer < ' ' || introducer > '~' {
		return 1
	}
	return length
}

// Plain makes a text of several lines, such as a log, safe for a terminal. It
// keeps line breaks and tabs.
func Plain(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		if n := escape(s[i:]); n > 0 {
			i += n
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		i += size
		switch {
		case r == '\r':
			if !strings.HasPrefix(s[i:], "\n") {
				b.WriteByte('\n')
			}
		case r == '\n', r == '\t', !unicode.IsControl(r) && !unicode.Is(unicode.Bidi_Control, r):
			b.WriteRune(r)
		}
	}
	return b.String()
}
