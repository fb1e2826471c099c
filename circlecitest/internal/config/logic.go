package config

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// scope holds the values that conditions and templates refer to, by full names
// such as pipeline.git.branch and pipeline.parameters.deploy.
type scope map[string]any

// template is a reference such as << pipeline.number >>.
var template = regexp.MustCompile(`<<\s*([^<>]*?)\s*>>`)

// fill replaces the references in a text. A text that is one reference keeps
// the value's type.
func (s scope) fill(text string) (any, error) {
	if m := template.FindStringSubmatch(text); m != nil && m[0] == strings.TrimSpace(text) {
		return s.value(m[1])
	}
	var failed error
	filled := template.ReplaceAllStringFunc(text, func(reference string) string {
		value, err := s.value(template.FindStringSubmatch(reference)[1])
		if err != nil {
			failed = err
		}
		return fmt.Sprint(value)
	})
	return filled, failed
}

func (s scope) value(name string) (any, error) {
	if value, ok := s[name]; ok {
		return value, nil
	}
	if parameter, ok := strings.CutPrefix(name, "pipeline.parameters."); ok {
		return nil, fmt.Errorf("the pipeline parameter %s is not declared", parameter)
	}
	return nil, fmt.Errorf("the value %s is not modeled", name)
}

// truthy returns the boolean that a logic statement uses for a value.
func truthy(value any) bool {
	switch v := value.(type) {
	case nil:
		return false
	case bool:
		return v
	case string:
		return v != ""
	case int:
		return v != 0
	case float64:
		return v != 0
	}
	return true
}

// holds evaluates a when clause: a logic statement or an expression.
func (s scope) holds(node *yaml.Node) (bool, error) {
	node = resolve(node)
	switch node.Kind {
	case yaml.ScalarNode:
		return s.scalarHolds(node)
	case yaml.MappingNode:
		if len(node.Content) != 2 {
			return false, fmt.Errorf("a condition has %d operators instead of one", len(node.Content)/2)
		}
		return s.operator(node.Content[0].Value, resolve(node.Content[1]))
	default:
		return false, errors.New("a condition is neither a value nor an operator")
	}
}

func (s scope) scalarHolds(node *yaml.Node) (bool, error) {
	if node.Tag != "!!str" || node.Value == "" {
		var value any
		err := node.Decode(&value)
		return truthy(value), err
	}
	if template.MatchString(node.Value) {
		value, err := s.fill(node.Value)
		if text, ok := value.(string); ok {
			return text != "" && text != "false", err
		}
		return truthy(value), err
	}
	return s.expression(node.Value)
}

func (s scope) operator(name string, operand *yaml.Node) (bool, error) {
	switch name {
	case "not":
		ok, err := s.holds(operand)
		return !ok, err
	case "and", "or":
		if operand.Kind != yaml.SequenceNode {
			return false, fmt.Errorf("%s: expected a list", name)
		}
		for _, one := range operand.Content {
			ok, err := s.holds(one)
			if err != nil || ok == (name == "or") {
				return ok, err
			}
		}
		return name == "and", nil
	case "equal":
		if operand.Kind != yaml.SequenceNode || len(operand.Content) == 0 {
			return false, errors.New("equal: expected a list")
		}
		first, err := s.scalar(operand.Content[0])
		for _, one := range operand.Content[1:] {
			next, failed := s.scalar(one)
			if err == nil {
				err = failed
			}
			if fmt.Sprint(first) != fmt.Sprint(next) {
				return false, err
			}
		}
		return true, err
	case "matches":
		var m struct{ Pattern, Value string }
		if err := operand.Decode(&m); err != nil {
			return false, fmt.Errorf("matches: %w", err)
		}
		value, err := s.fill(m.Value)
		if err != nil {
			return false, err
		}
		return matches(m.Pattern, fmt.Sprint(value))
	default:
		return false, fmt.Errorf("the operator %s is not modeled", name)
	}
}

func (s scope) scalar(node *yaml.Node) (any, error) {
	node = resolve(node)
	if node.Kind == yaml.ScalarNode && node.Tag == "!!str" {
		return s.fill(node.Value)
	}
	var value any
	err := node.Decode(&value)
	return value, err
}

// matches reports whether a pattern matches a whole text.
func matches(pattern, text string) (bool, error) {
	re, err := regexp.Compile(`^(?:` + pattern + `)$`)
	if err != nil {
		return false, fmt.Errorf("the pattern %q is not a regular expression", pattern)
	}
	return re.MatchString(text), nil
}

// expression evaluates a text such as: pipeline.git.branch == "main" and not x.
func (s scope) expression(text string) (bool, error) {
	tokens, err := tokenize(text)
	if err != nil {
		return false, err
	}
	p := &parser{scope: s, tokens: tokens}
	value := p.or()
	if p.err == nil && p.at < len(p.tokens) {
		p.err = fmt.Errorf("unexpected %q in the expression %q", p.tokens[p.at], text)
	}
	return truthy(value), p.err
}

var tokenPattern = regexp.MustCompile(`^(?:"(?:[^"\\]|\\.)*"|'[^']*'|==|!=|=~|<=|>=|<|>|\(|\)|[\w.-]+)`)

func tokenize(text string) (tokens []string, err error) {
	for text = strings.TrimLeftFunc(text, unicode.IsSpace); text != ""; text = strings.TrimLeftFunc(text, unicode.IsSpace) {
		token := tokenPattern.FindString(text)
		if token == "" {
			return nil, fmt.Errorf("the expression has an unexpected %q", text[:1])
		}
		tokens, text = append(tokens, token), text[len(token):]
	}
	return tokens, nil
}

// parser evaluates an expression while it reads it.
type parser struct {
	scope  scope
	tokens []string
	at     int
	err    error
}

func (p *parser) accept(tokens ...string) string {
	for _, t := range tokens {
		if p.at < len(p.tokens) && p.tokens[p.at] == t {
			p.at++
			return t
		}
	}
	return ""
}

func (p *parser) or() any {
	value := p.and()
	for p.accept("or") != "" {
		right := p.and()
		value = truthy(value) || truthy(right)
	}
	return value
}

func (p *parser) and() any {
	value := p.not()
	for p.accept("and") != "" {
		right := p.not()
		value = truthy(value) && truthy(right)
	}
	return value
}

func (p *parser) not() any {
	if p.accept("not") != "" {
		return !truthy(p.not())
	}
	return p.comparison()
}

func (p *parser) comparison() any {
	left := p.operand()
	op := p.accept("==", "!=", "=~", "starts-with", "<=", ">=", "<", ">")
	if op == "" {
		return left
	}
	right := p.operand()
	l, r := fmt.Sprint(left), fmt.Sprint(right)
	switch op {
	case "==":
		return l == r
	case "!=":
		return l != r
	case "starts-with":
		return strings.HasPrefix(l, r)
	case "=~":
		re, err := regexp.Compile(r)
		if err != nil {
			p.fail(fmt.Errorf("the pattern %q is not a regular expression", r))
			return false
		}
		return re.MatchString(l)
	}
	a, errA := strconv.ParseFloat(l, 64)
	b, errB := strconv.ParseFloat(r, 64)
	if errA != nil || errB != nil {
		p.fail(fmt.Errorf("%s compares numbers, not %q and %q", op, l, r))
	}
	return map[string]bool{"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[op]
}

func (p *parser) operand() any {
	if p.at >= len(p.tokens) {
		p.fail(errors.New("the expression ends too early"))
		return nil
	}
	token := p.tokens[p.at]
	p.at++
	switch {
	case token == "(":
		value := p.or()
		if p.accept(")") == "" {
			p.fail(errors.New("a parenthesis is not closed"))
		}
		return value
	case token == "true", token == "false":
		return token == "true"
	case token[0] == '"', token[0] == '\'':
		if text, err := strconv.Unquote(token); err == nil {
			return text
		}
		return token[1 : len(token)-1]
	case unicode.IsDigit(rune(token[0])), token[0] == '-':
		return token
	}
	value, err := p.scope.value(token)
	if err != nil {
		p.fail(err)
	}
	return value
}

func (p *parser) fail(err error) {
	if p.err == nil {
		p.err = err
	}
}
