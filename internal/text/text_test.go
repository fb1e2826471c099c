package text_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"

	"github.com/circleci-go/circleci/internal/text"
)

func TestALineHasNothingThatATerminalObeys(t *testing.T) {
	for in, want := range map[string]string{
		"":                                       "",
		"plain":                                  "plain",
		"  two\n\tlines \r\n":                    "two lines",
		"\x1b[31mred\x1b[0m and \x1b[1;32mgreen": "red and green",
		"\x1b]0;title\atext":                     "text",
		"\x1b]8;;https://x.example\x1b\\link\x1b]8;;\x1b\\": "link",
		"\u009b31mred":            "red",
		"\x1b(Bcharset":           "charset",
		"\x1b]0;never ends\nnext": "next",
		"\x1b":                    "",
		"a\x1bMb":                 "ab",
		"a\x00b\x7fc":             "a b c",
		"left\u202eright\u2066x":  "leftrightx",
		"bad \xff\xfe bytes":      "bad bytes",
		"\u2028line\u2029par":     "line par",
		"größe 大きさ":               "größe 大きさ",
	} {
		assert.Equal(t, want, text.Line(in), "%q", in)
	}
	assert.Equal(t, strings.Repeat("x", 300)+"…", text.Line(strings.Repeat("x", 1e6)))
	assert.Equal(t, "ää…", text.LineOf("äää", 5), "not within a character")
	assert.Equal(t, "ab…", text.LineOf("ab cd", 3))
}

func FuzzLine(f *testing.F) {
	f.Add("\x1b[31mred\x1b]0;t\a\u009b1m\u202e\xff")
	f.Fuzz(func(t *testing.T, s string) {
		line := text.Line(s)
		assert.True(t, utf8.ValidString(line))
		assert.LessOrEqual(t, len(line), 303)
		assert.False(t, strings.ContainsFunc(line, func(r rune) bool {
			return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029'
		}), "%q", line)
		assert.Equal(t, line, text.Line(line), "a line is one already")
	})
}

func TestAPlainTextKeepsItsLines(t *testing.T) {
	for in, want := range map[string]string{
		"\x1b[1ma\x1b[0m\r\n\tb\rc\n\n":  "a\n\tb\nc\n\n",
		"\x00\x07x\u202e \xff\u009b31my": "x \ufffdy",
		"  kept  ":                       "  kept  ",
	} {
		assert.Equal(t, want, text.Plain(in), "%q", in)
	}
}
