package policy

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"text/scanner"
)

var policyNameForm = regexp.MustCompile(`^\w+$`)

// regoName returns the package of a document and the name that it declares.
// Errors have the API's texts.
func regoName(document string) (pkg, name string, err error) {
	p := newRegoParser(document)
	if pkg, err = p.header(); err != nil {
		return "", "", err
	}
	p.skipLines()
	rule := p.next()
	switch {
	case rule == "":
		return "", "", errors.New(`must declare rule "policy_name" but module contains no rules`)
	case rule != "policy_name":
		return "", "", fmt.Errorf("first rule declaration must be %q but found %q", "policy_name", rule)
	}
	switch token := p.next(); token {
	case "[", "contains":
		key := p.next()
		if !isText(key) {
			return "", "", fmt.Errorf("invalid policy_name: %s is not a string", key)
		}
		name = unquoted(key)
	default:
		return "", "", errors.New("invalid policy_name declaration: must declare as key")
	}
	switch {
	case name == "":
		return "", "", errors.New("policy_name must not be empty")
	case len(name) > 80:
		return "", "", fmt.Errorf("policy_name must be maximum 80 characters but got %d", len(name))
	case !policyNameForm.MatchString(name):
		return "", "", errors.New(`"policy_name" must use alphanumeric and underscore characters only`)
	}
	return pkg, name, nil
}

// regoParser reads tokens: words, quoted texts, numbers, operators, and line
// breaks.
type regoParser struct {
	scan   scanner.Scanner
	peeked string
	has    bool
}

func newRegoParser(document string) *regoParser {
	p := &regoParser{}
	p.scan.Init(strings.NewReader(document))
	p.scan.Mode = scanner.ScanIdents | scanner.ScanInts | scanner.ScanFloats | scanner.ScanStrings | scanner.ScanRawStrings
	p.scan.Whitespace = 1<<' ' | 1<<'\t' | 1<<'\r'
	p.scan.Error = func(*scanner.Scanner, string) {} // what is odd is not understood further on
	return p
}

// next returns the next token; empty at the end.
func (p *regoParser) next() string {
	if p.has {
		p.has = false
		return p.peeked
	}
	token := p.scan.Scan()
	switch token {
	case scanner.EOF:
		return ""
	case '#':
		for c := p.scan.Peek(); c != '\n' && c != scanner.EOF; c = p.scan.Peek() {
			p.scan.Next()
		}
		return p.next()
	case ':', '=', '!', '<', '>':
		if p.scan.Peek() == '=' {
			p.scan.Next()
			return string(token) + "="
		}
	}
	return p.scan.TokenText()
}

func (p *regoParser) peek() string {
	if !p.has {
		p.peeked, p.has = p.next(), true
	}
	return p.peeked
}

// take reads the next token if it is the given one.
func (p *regoParser) take(token string) bool {
	if p.peek() != token {
		return false
	}
	p.has = false
	return true
}

func (p *regoParser) skipLines() {
	for p.take("\n") || p.take(";") {
	}
}

// header reads the package clause and skips imports.
func (p *regoParser) header() (pkg string, err error) {
	p.skipLines()
	if !p.take("package") {
		return "", errors.New("rego_parse_error: package expected")
	}
	pkg = p.restOfLine()
	for p.skipLines(); p.take("import"); p.skipLines() {
		p.restOfLine()
	}
	return pkg, nil
}

func (p *regoParser) restOfLine() string {
	var rest strings.Builder
	for token := p.next(); token != "\n" && token != ";" && token != ""; token = p.next() {
		rest.WriteString(token)
	}
	return rest.String()
}

func isText(token string) bool {
	_, err := strconv.Unquote(token)
	return err == nil && token[0] != '\''
}

// unquoted returns the content of a quoted text.
func unquoted(token string) string {
	content, _ := strconv.Unquote(token) // isText has looked
	return content
}
