package transport

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
)

// telling is the least length of a secret that is looked for: a shorter one is
// a word of its own.
const telling = 6

// hide notes a token that was sent for the call.
func (c *Call) hide(token string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := len(c.tokens); n == 0 || c.tokens[n-1] != token {
		c.tokens = append(c.tokens, token)
	}
}

// Scrub takes out of a result what the server has echoed: the
// tokens that were sent for the call, and the secrets of its body.
func Scrub(r *Result, c *Call) {
	warns := first(r.Header, "Deprecation") != "" || first(r.Header, "Sunset") != ""
	if r.OK() && !warns {
		return
	}
	clean := c.scrubber()
	if clean == nil {
		return
	}
	for ; r != nil; r = r.Last {
		r.Body = []byte(clean(string(r.Body)))
		r.Header = cleanHeader(r.Header, clean)
		if r.Err != nil {
			if text := r.Err.Error(); clean(text) != text {
				r.Err = newScrubbedError(clean(text), r.Err)
			}
		}
	}
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

// scrubber replaces the call's secrets, whichever of their characters are
// escaped as in JSON, and what is left of one at the end of a text that was cut.
func (c *Call) scrubber() func(string) string {
	c.mu.Lock()
	secrets := append([]string(nil), c.tokens...)
	c.mu.Unlock()
	if c.Secrets != nil {
		secrets = append(secrets, c.Secrets()...)
	}
	var forms []*regexp.Regexp
	for _, secret := range secrets {
		if len(secret) < telling {
			continue
		}
		var start, tail strings.Builder
		depth := 0
		for i, char := range secret {
			one := fmt.Sprintf(`(?:%s|\\u(?i:%04x)`, regexp.QuoteMeta(string(char)), char)
			if strings.ContainsRune(`"\/`, char) {
				one += `|\\` + regexp.QuoteMeta(string(char))
			}
			one += ")"
			if i < telling {
				start.WriteString(one)
				continue
			}
			tail.WriteString("(?:" + one)
			depth++
		}
		forms = append(forms, regexp.MustCompile(start.String()+tail.String()+strings.Repeat("|$)", depth)))
	}
	if len(forms) == 0 {
		return nil
	}
	return func(text string) string {
		for _, form := range forms {
			text = form.ReplaceAllString(text, "REDACTED")
		}
		return text
	}
}

// scrubbedError takes the place of an error whose text held a secret. That one
// is in closures alone, where no printer follows it.
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
