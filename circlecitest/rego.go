package circlecitest

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/scanner"
)

// This is enough of Rego for simple config policies:
//
//	package org
//
//	policy_name["images"]
//
//	enable_rule["check_version"]
//	hard_fail["check_version"]
//
//	check_version = "version must be 2.1" { input.version != 2.1 }
//
//	ban["no setup"] {
//		input.setup
//		not data.meta.project_id == "…"
//	}
//
// A rule has a text as its value or its key, or a variable that its body sets
// to one. A body compares a path below input or data.meta with a constant, or
// asks whether there is something at it. What goes beyond that makes a decision
// with the status ERROR, which names it.

// decision is the outcome of an evaluation.
type decision struct {
	status, reason string
	enabled        []string
	hard, soft     []violation
}

type violation struct{ rule, reason string }

func (d *decision) view() object {
	view := object{"status": d.status}.put("reason", d.reason)
	if len(d.enabled) > 0 {
		view["enabled_rules"] = d.enabled
	}
	for key, violations := range map[string][]violation{"hard_failures": d.hard, "soft_failures": d.soft} {
		var all []any
		for _, v := range violations {
			all = append(all, object{"rule": v.rule, "reason": v.reason})
		}
		if all != nil {
			view[key] = all
		}
	}
	return view
}

// decideRego evaluates policies, by name, on an input.
func decideRego(documents map[string]string, input string, metadata map[string]any) decision {
	if len(documents) == 0 {
		return decision{status: "PASS"}
	}
	value, err := readYAML(input)
	if err != nil {
		return decision{status: "ERROR", reason: "circlecitest: the input: " + err.Error()}
	}
	facts := map[string]any{"input": value, "data": map[string]any{"meta": metadata}}
	results := map[string]map[string]bool{} // the values of each rule
	for _, name := range slices.Sorted(maps.Keys(documents)) {
		rules, err := parseRego(documents[name])
		if err != nil {
			return decision{status: "ERROR", reason: fmt.Sprintf("circlecitest: policy %q: %v", name, err)}
		}
		for _, rule := range rules {
			for _, value := range rule.values(facts) {
				if results[rule.name] == nil {
					results[rule.name] = map[string]bool{}
				}
				results[rule.name][value] = true
			}
		}
	}
	enabled := slices.Collect(maps.Keys(results["enable_rule"]))
	enabled = slices.AppendSeq(enabled, maps.Keys(results["enable_hard"]))
	slices.Sort(enabled)
	d := decision{status: "PASS", enabled: slices.Compact(enabled)}
	for _, rule := range d.enabled {
		for _, reason := range slices.Sorted(maps.Keys(results[rule])) {
			if results["hard_fail"][rule] || results["enable_hard"][rule] {
				d.hard = append(d.hard, violation{rule, reason})
			} else {
				d.soft = append(d.soft, violation{rule, reason})
			}
		}
	}
	switch {
	case len(d.hard) > 0:
		d.status = "HARD_FAIL"
	case len(d.soft) > 0:
		d.status = "SOFT_FAIL"
	}
	return d
}

type regoRule struct {
	name string
	// value is the rule's text, or the name of the variable that has it.
	value    string
	variable bool
	bodies   []regoBody // none: always
}

type regoBody struct {
	conditions []regoCondition
	variables  map[string]string
}

type regoCondition struct {
	negated  bool
	path     []string
	operator string // empty: there is something
	constant any
}

// values are the texts that the rule has for these facts.
func (r *regoRule) values(facts map[string]any) (all []string) {
	if len(r.bodies) == 0 {
		return []string{r.value}
	}
	for _, body := range r.bodies {
		if slices.ContainsFunc(body.conditions, func(c regoCondition) bool { return c.holds(facts) == c.negated }) {
			continue
		}
		value := r.value
		if r.variable {
			value = body.variables[r.value]
		}
		all = append(all, value)
	}
	return all
}

func (c *regoCondition) holds(facts map[string]any) bool {
	var value any = facts
	for _, key := range c.path {
		object, _ := value.(map[string]any)
		var found bool
		if value, found = object[key]; !found {
			return false
		}
	}
	if c.operator == "" {
		return value != false
	}
	order := compareRego(value, c.constant)
	switch c.operator {
	case "==":
		return order == 0
	case "!=":
		return order != 0
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	}
	return order >= 0
}

// compareRego orders values as Rego does: by type, then by value. The second
// is a constant, and no list or object.
func compareRego(a, b any) int {
	if byType := cmp.Compare(regoRank(a), regoRank(b)); byType != 0 {
		return byType
	}
	switch a := a.(type) {
	case bool:
		return cmp.Compare(truth(a), truth(b == true))
	case string:
		text, _ := b.(string)
		return strings.Compare(a, text)
	}
	return cmp.Compare(number(a), number(b))
}

func regoRank(v any) int {
	switch v.(type) {
	case nil:
		return 0
	case bool:
		return 1
	case int64, float64:
		return 3
	case string:
		return 4
	}
	return 5
}

func truth(b bool) int {
	if b {
		return 1
	}
	return 0
}

func number(v any) float64 {
	switch v := v.(type) {
	case int64:
		return float64(v)
	case float64:
		return v
	}
	return 0
}

var policyNameForm = regexp.MustCompile(`^\w+$`)

// regoName reads the package of a document and the name that it declares. Its
// errors are those of the API.
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
			return "", "", fmt.Errorf("invalid policy_name: %s is no string", key)
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
	line   int // of the token read last
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
	p.line = p.scan.Line
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

// take reads the next token if it is this one.
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

// beyond is an error for a next token that goes beyond our Rego.
func (p *regoParser) beyond() error { return p.beyondToken(p.peek()) }

func (p *regoParser) beyondToken(token string) error {
	switch token {
	case "":
		token = "the end"
	case "\n":
		token = "the end of the line"
	}
	return fmt.Errorf("line %d: %s goes beyond the Rego that is modelled", p.line, token)
}

// header reads the package and skips the imports.
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
	for token := p.next(); token != "\n" && token != ""; token = p.next() {
		rest.WriteString(token)
	}
	return rest.String()
}

// parseRego reads the rules of a document.
func parseRego(document string) (rules []regoRule, err error) {
	p := newRegoParser(document)
	if _, err := p.header(); err != nil {
		return nil, err
	}
	for p.skipLines(); p.peek() != ""; p.skipLines() {
		rule, err := p.rule()
		if err != nil {
			return nil, err
		}
		rules = append(rules, rule)
	}
	return rules, nil
}

func (p *regoParser) rule() (rule regoRule, err error) {
	if !isWord(p.peek()) {
		return rule, p.beyond()
	}
	rule.name = p.next()
	inBrackets := false
	switch {
	case p.take("["):
		inBrackets = true
	case p.take("contains"), p.take("="), p.take(":="):
	default:
		return rule, p.beyond()
	}
	switch value := p.peek(); {
	case isText(value):
		rule.value = unquoted(p.next())
	case isWord(value):
		rule.value, rule.variable = p.next(), true
	default:
		return rule, p.beyond()
	}
	if inBrackets && !p.take("]") {
		return rule, p.beyond()
	}
	p.take("if")
	for p.take("{") {
		body, err := p.body()
		if err != nil {
			return rule, err
		}
		if _, bound := body.variables[rule.value]; rule.variable && !bound {
			return rule, fmt.Errorf("line %d: %s is set to no text, which goes beyond the Rego that is modelled", p.line, rule.value)
		}
		rule.bodies = append(rule.bodies, body)
	}
	if next := p.peek(); next != "\n" && next != "" || rule.variable && len(rule.bodies) == 0 {
		return rule, p.beyond()
	}
	return rule, nil
}

func (p *regoParser) body() (body regoBody, err error) {
	body.variables = map[string]string{}
	for p.skipLines(); !p.take("}"); p.skipLines() {
		if err := p.statement(&body); err != nil {
			return body, err
		}
		if next := p.peek(); next != "\n" && next != ";" && next != "}" {
			return body, p.beyond()
		}
	}
	return body, nil
}

// statement reads a condition, or a variable that is set to a text.
func (p *regoParser) statement(body *regoBody) error {
	c := regoCondition{negated: p.take("not")}
	if !isWord(p.peek()) {
		return p.beyond()
	}
	word := p.next()
	if p.take(":=") {
		if !isText(p.peek()) || c.negated {
			return p.beyond()
		}
		body.variables[word] = unquoted(p.next())
		return nil
	}
	if word != "data" && word != "input" {
		return p.beyondToken(word)
	}
	if word == "data" && (!p.take(".") || p.peek() != "meta") {
		return p.beyond()
	}
	c.path = []string{word}
	if word == "data" {
		c.path = append(c.path, p.next())
	}
	for {
		switch {
		case p.take("."):
			if !isWord(p.peek()) {
				return p.beyond()
			}
			c.path = append(c.path, p.next())
			continue
		case p.take("["):
			if !isText(p.peek()) {
				return p.beyond()
			}
			c.path = append(c.path, unquoted(p.next()))
			if !p.take("]") {
				return p.beyond()
			}
			continue
		}
		break
	}
	if slices.Contains([]string{"==", "!=", "<", "<=", ">", ">="}, p.peek()) {
		c.operator = p.next()
		constant, ok := p.constant()
		if !ok {
			return p.beyond()
		}
		c.constant = constant
	}
	body.conditions = append(body.conditions, c)
	return nil
}

func (p *regoParser) constant() (value any, ok bool) {
	sign := 1.0
	if p.take("-") {
		sign = -1
	}
	token := p.peek()
	switch n, err := strconv.ParseFloat(token, 64); {
	case err == nil:
		value = sign * n
	case sign < 0:
		return nil, false
	case isText(token):
		value = unquoted(token)
	case token == "true", token == "false":
		value = token == "true"
	case token != "null":
		return nil, false
	}
	p.next()
	return value, true
}

func isWord(token string) bool {
	return token != "" && strings.IndexFunc(token, func(r rune) bool {
		return r != '_' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9')
	}) < 0 && (token[0] < '0' || token[0] > '9')
}

func isText(token string) bool {
	_, err := strconv.Unquote(token)
	return err == nil && token[0] != '\''
}

// unquoted is the content of a quoted text.
func unquoted(token string) string {
	content, _ := strconv.Unquote(token) // isText has looked
	return content
}
