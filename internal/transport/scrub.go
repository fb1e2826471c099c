package transport

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// telling is the minimum length of a secret that is searched for. A shorter one
// could be an ordinary word.
const telling = 6

// hide records a token that was sent for the call.
func (c *Call) hide(token string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch n := len(c.tokens); {
	case n == 0:
		c.tokens = append(c.token[:0], token)
	case c.tokens[n-1] != token:
		c.tokens = append(c.tokens, token)
	}
}

// Scrub removes what the server has echoed from a result: the tokens sent for
// the call, and the secrets in its body.
func Scrub(r *Result, c *Call) {
	warns := first(r.Header, "Deprecation") != "" || first(r.Header, "Sunset") != ""
	if r.OK() && !warns && !c.echoed(RequestID(r.Header)) {
		return
	}
	clean := c.scrubber()
	if clean == nil {
		return
	}
	for ; r != nil; r = r.Last {
		r.Body = []byte(clean(string(r.Body)))
		r.Header = cleanHeader(r.Header, clean)
		r.Err = scrubError(r.Err, clean)
	}
}

// echoed reports whether a text contains a token that was sent for the call.
func (c *Call) echoed(text string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.ContainsFunc(c.tokens, func(token string) bool { return strings.Contains(text, token) })
}

// scrubError removes the call's secrets from the text of an error, which may be
// nil.
func (c *Call) scrubError(err error) error {
	if clean := c.scrubber(); clean != nil {
		return scrubError(err, clean)
	}
	return err
}

func scrubError(err error, clean func(string) string) error {
	if err == nil {
		return nil
	}
	if text := err.Error(); clean(text) != text {
		return newScrubbedError(clean(text), err)
	}
	return err
}

func cleanHeader(h http.Header, clean func(string) string) http.Header {
	out := h.Clone()
	for _, values := range out {
		for i, value := range values {
			values[i] = clean(value)
		}
	}
	return out
}

// scrubber returns a function that replaces the call's secrets, with any of
// their characters escaped as in JSON or HTML, and the beginning of a secret at
// the end of a truncated text.
func (c *Call) scrubber() func(string) string {
	c.mu.Lock()
	secrets := append([]string(nil), c.tokens...)
	c.mu.Unlock()
	if c.Secrets != nil {
		secrets = append(secrets, c.Secrets()...)
	}
	for i, secret := range secrets {
		secrets[i] = strings.TrimSpace(secret) // a server may trim it, too
	}
	secrets = slices.DeleteFunc(secrets, func(secret string) bool { return len(secret) < telling })
	if len(secrets) == 0 {
		return nil
	}
	return func(text string) string {
		for _, secret := range secrets {
			text = replace(text, secret)
		}
		return text
	}
}

func replace(text, secret string) string {
	var out strings.Builder
	done := 0
	for i := 0; i < len(text); i++ {
		if end := match(text, i, secret); end > i {
			out.WriteString(text[done:i] + "REDACTED")
			done, i = end, end-1
		}
	}
	return out.String() + text[done:]
}

// match returns the end of a secret that begins at text[i:]; -1 if there is
// none.
func match(text string, i int, secret string) int {
	for n, char := range secret {
		rest := text[i:]
		literal := secret[n:min(n+max(utf8.RuneLen(char), 1), len(secret))]
		if rest == "" && n >= telling {
			return i // the text was cut
		}
		length := len(literal)
		if entity := "&amp;"; !strings.HasPrefix(rest, literal) || strings.HasPrefix(rest, entity) && !strings.HasPrefix(secret[n:], entity) {
			length = escaped(rest, char, literal)
		}
		if length == 0 {
			return -1
		}
		i += length
	}
	return i
}

// escaped returns the length of the escape sequence of a character at the start
// of text; 0 if there is none. JSON within JSON has several backslashes.
func escaped(text string, char rune, literal string) int {
	code := strings.TrimLeft(text, `\`)
	if slashes := len(text) - len(code); slashes > 0 {
		for _, form := range [...]string{unicodeEscape(char), short[char], literal} {
			if form != "" && len(code) >= len(form) && strings.EqualFold(code[:len(form)], form) {
				return slashes + len(form)
			}
		}
	}
	for _, entity := range entities[char] {
		if strings.HasPrefix(text, entity) {
			return len(entity)
		}
	}
	return 0
}

// unicodeEscape is the escape sequence of a character in JSON, without its first
// backslash.
func unicodeEscape(char rune) string {
	if high, low := utf16.EncodeRune(char); high != utf8.RuneError {
		return fmt.Sprintf(`u%04x\u%04x`, high, low)
	}
	return fmt.Sprintf(`u%04x`, char)
}

// The short escape sequences of JSON, and those of HTML.
var (
	short    = map[rune]string{'\n': "n", '\r': "r", '\t': "t", '\b': "b", '\f': "f"}
	entities = map[rune][]string{
		'&': {"&amp;"}, '<': {"&lt;"}, '>': {"&gt;"}, '"': {"&#34;", "&quot;"}, '\'': {"&#39;", "&#x27;", "&apos;"},
	}
)

// scrubbedError replaces an error whose text contained a secret. The original
// error is stored only in closures, which fmt does not print.
type scrubbedError struct {
	text string
	is   func(target error) bool
	as   func(target any) bool
}

func newScrubbedError(text string, err error) *scrubbedError {
	return &scrubbedError{
		text: text,
		is:   func(target error) bool { return errors.Is(err, target) },
		as:   func(target any) bool { return errors.As(err, target) },
	}
}

func (e *scrubbedError) Error() string        { return e.text }
func (e *scrubbedError) Is(target error) bool { return e.is(target) }
func (e *scrubbedError) As(target any) bool   { return e.as(target) }
