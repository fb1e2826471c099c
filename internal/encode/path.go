// Package encode encodes arguments as paths and queries. It is the only user of
// oapi-codegen/runtime.
package encode

import (
	"strings"

	"github.com/oapi-codegen/runtime"
)

// Param is the value of a path parameter.
type Param struct {
	Text string
	// Slug marks a text of several segments, whose slashes are not escaped.
	Slug bool
	// Refused says why the value is not allowed in a path; empty if it is.
	Refused string
}

// ParamError reports an invalid value of a path parameter.
type ParamError struct {
	Name   string // as the route template has it
	Reason string
}

func (e *ParamError) Error() string { return e.Name + " " + e.Reason }

// projectTemplate is how some routes spell {project-slug}.
const projectTemplate = "{provider}/{organization}/{project}"

// Path fills the template's placeholders, in order, with params. Each segment
// is escaped, and values that could lead to another route are refused.
func Path(template string, params ...Param) (string, error) {
	var b strings.Builder
	b.Grow(len(template) + 40*len(params))
	rest := template
	for _, p := range params {
		open := strings.IndexByte(rest, '{')
		if open < 0 {
			return "", &ParamError{Name: template, Reason: "has fewer placeholders than values"}
		}
		length := strings.IndexByte(rest[open:], '}')
		if length < 0 {
			return "", &ParamError{Name: template, Reason: "has a placeholder without an end"}
		}
		end := open + length
		name := rest[open+1 : end]
		if p.Slug && strings.HasPrefix(rest[open:], projectTemplate) {
			end = open + len(projectTemplate) - 1
			name = "project slug"
		}
		writeLiteral(&b, rest[:open])
		if err := writeParam(&b, name, p); err != nil {
			return "", err
		}
		rest = rest[end+1:]
	}
	if strings.IndexByte(rest, '{') >= 0 {
		return "", &ParamError{Name: template, Reason: "has more placeholders than values"}
	}
	writeLiteral(&b, rest)
	return b.String(), nil
}

// writeLiteral writes a part of the template. It escapes characters that are
// not allowed in a path, but not what is already escaped.
func writeLiteral(b *strings.Builder, s string) {
	const hex = "0123456789ABCDEF"
	written := 0
	for i := range len(s) {
		if c := s[i]; c != '/' && !unreserved(c) && strings.IndexByte("%!$&'()*+,;=:@", c) < 0 {
			b.WriteString(s[written:i])
			_, _ = b.Write([]byte{'%', hex[c>>4], hex[c&15]}) // never fails
			written = i + 1
		}
	}
	b.WriteString(s[written:])
}

func writeParam(b *strings.Builder, name string, p Param) error {
	if p.Refused != "" {
		return &ParamError{Name: name, Reason: p.Refused}
	}
	if !p.Slug {
		return writeSegment(b, name, p.Text)
	}
	for text, more := p.Text, true; more; {
		var segment string
		segment, text, more = strings.Cut(text, "/")
		if err := writeSegment(b, name, segment); err != nil {
			return err
		}
		if more {
			b.WriteByte('/')
		}
	}
	return nil
}

func writeSegment(b *strings.Builder, name, segment string) error {
	switch {
	case segment == "":
		return &ParamError{Name: name, Reason: "must not be empty"}
	case HasDotPart(segment):
		return &ParamError{Name: name, Reason: `must not hold "." or ".." as a path segment`}
	case isUnreserved(segment):
		b.WriteString(segment)
		return nil
	}
	styled, err := runtime.StyleParamWithOptions("simple", false, name, segment,
		runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationPath, Required: true})
	if err != nil {
		return &ParamError{Name: name, Reason: err.Error()}
	}
	b.WriteString(styled)
	return nil
}

// HasDotPart reports whether a server that decodes escaped slashes before it
// cleans the path could be led elsewhere: escaping does not change dots.
func HasDotPart(segment string) bool {
	if strings.IndexByte(segment, '.') < 0 {
		return false
	}
	for part := range strings.FieldsFuncSeq(segment, func(r rune) bool { return r == '/' || r == '\\' }) {
		if part == "." || part == ".." {
			return true
		}
	}
	return false
}

// isUnreserved reports whether s needs no escaping. This makes the common case
// (IDs, numbers, plain names) fast.
func isUnreserved(s string) bool {
	for i := range len(s) {
		if !unreserved(s[i]) {
			return false
		}
	}
	return true
}

func unreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || c == '-' || c == '_' || c == '.' || c == '~'
}
