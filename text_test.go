package circleci_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"

	"github.com/circleci-go/circleci"
)

func TestForeignTextsAreMadePlain(t *testing.T) {
	for in, want := range map[string]struct{ line, text string }{
		"plain":                {"plain", "plain"},
		" two\n\tlines \r\n":   {"two lines", " two\n\tlines \n"},
		"\x1b[1;31mred\x1b[0m": {"red", "red"},
		"\x1b]0;title\atext":   {"text", "text"},
		"\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\": {"link", "link"},
		"\u009b31mred":           {"red", "red"},
		"\x1b(Bcharset":          {"charset", "charset"},
		"\x1b[31":                {"", ""},
		"\x1b]cut off\nnext":     {"next", "\nnext"},
		"a\u202eb\u2066c\u200fd": {"abcd", "abcd"},
		"bell\aback\bspace\x00":  {"bell back space", "bellbackspace"},
		"10%\r50%\r100%":         {"10% 50% 100%", "10%\n50%\n100%"},
		"naïve 日本 👩‍💻":           {"naïve 日本 👩‍💻", "naïve 日本 👩‍💻"},
		strings.Repeat("é", 200): {strings.Repeat("é", 150) + "…", strings.Repeat("é", 200)},
	} {
		assert.Equal(t, want.line, circleci.OneLine(in), "%q", in)
		assert.Equal(t, want.text, circleci.PlainText(in), "%q", in)
	}
}

func FuzzForeignTexts(f *testing.F) {
	for _, seed := range []string{"a\nb", "\x1b[31mred\x1b[0m", "\x1b]0;t\a", "\u202e", "\xff\x1b\x1b[", strings.Repeat("é", 500)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		line, text := circleci.OneLine(s), circleci.PlainText(s)
		bad := func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }
		assert.False(t, strings.ContainsFunc(line, bad), "%q", line)
		assert.LessOrEqual(t, len(line), 310)
		assert.True(t, utf8.ValidString(line) && utf8.ValidString(text), "%q", line)
		assert.False(t, strings.ContainsFunc(strings.NewReplacer("\n", "", "\t", "").Replace(text), bad), "%q", text)
	})
}
