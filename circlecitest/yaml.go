package circlecitest

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/circleci-go/circleci/internal/wire"
)

// readYAML reads what configurations are mostly made of: maps and lists by
// indentation, plain and quoted texts, block texts, lists in brackets of simple
// texts, and JSON. Anchors, tags and texts over several lines are refused.
func readYAML(document string) (any, error) {
	if start := strings.TrimSpace(document); strings.HasPrefix(start, "{") || strings.HasPrefix(start, "[") {
		var value any
		err := wire.Unmarshal([]byte(start), &value)
		return value, err
	}
	r := &yamlReader{lines: strings.Split(strings.ReplaceAll(document, "\r\n", "\n"), "\n")}
	if line, ok := r.peek(); ok && line == "---" {
		r.read()
	}
	if _, ok := r.peek(); !ok {
		return nil, nil // an empty document is null
	}
	value, err := r.block(r.indent())
	if err == nil {
		if _, more := r.peek(); more {
			err = beyondYAML(r.at)
		}
	}
	return value, err
}

type yamlReader struct {
	lines []string
	at    int // of the next line
	last  int // of the line that was read last
}

func (r *yamlReader) read() {
	r.last = r.at
	r.at++
}

// peek returns the next line that says something, without its comment.
func (r *yamlReader) peek() (string, bool) {
	for ; r.at < len(r.lines); r.at++ {
		line := strings.TrimRight(withoutComment(r.lines[r.at]), " \t")
		if strings.TrimSpace(line) != "" {
			return line, true
		}
	}
	return "", false
}

func withoutComment(line string) string {
	var quote rune
	for i, c := range line {
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			if i == 0 || strings.ContainsRune(" [:,", rune(line[i-1])) {
				quote = c
			}
		case c == '#' && (i == 0 || line[i-1] == ' ' || line[i-1] == '\t'):
			return line[:i]
		}
	}
	return line
}

// indent is that of the next line; -1 at the end.
func (r *yamlReader) indent() int {
	line, ok := r.peek()
	if !ok {
		return -1
	}
	return len(line) - len(strings.TrimLeft(line, " "))
}

// beyondYAML is an error for a line that goes beyond our YAML.
func beyondYAML(line int) error {
	return fmt.Errorf("line %d goes beyond the YAML that is modelled", line+1)
}

// block reads a map, a list or a text that stands alone.
func (r *yamlReader) block(indent int) (any, error) {
	line, _ := r.peek()
	content := line[indent:]
	if isListItem(content) {
		return r.list(indent)
	}
	if _, _, isEntry := cutEntry(content); isEntry {
		return r.object(indent)
	}
	r.read()
	return r.scalar(content)
}

func isListItem(content string) bool { return content == "-" || strings.HasPrefix(content, "- ") }

func (r *yamlReader) list(indent int) (any, error) {
	list := []any{}
	for r.indent() == indent {
		line, _ := r.peek()
		if !isListItem(line[indent:]) {
			break
		}
		rest := strings.TrimLeft(line[indent+1:], " ")
		var item any
		var err error
		_, _, isEntry := cutEntry(rest)
		if isEntry || isListItem(rest) { // what follows the dash is a block of its own
			inner := len(line) - len(rest)
			r.lines[r.at] = strings.Repeat(" ", inner) + rest
			item, err = r.block(inner)
		} else {
			r.read()
			item, err = r.value(rest, indent, false)
		}
		if err != nil {
			return nil, err
		}
		list = append(list, item)
	}
	if r.indent() > indent {
		return nil, beyondYAML(r.at)
	}
	return list, nil
}

func (r *yamlReader) object(indent int) (any, error) {
	object := map[string]any{}
	for r.indent() == indent {
		line, _ := r.peek()
		key, rest, isEntry := cutEntry(line[indent:])
		if !isEntry || isListItem(line[indent:]) {
			break
		}
		r.read()
		value, err := r.value(rest, indent, true)
		if err != nil {
			return nil, err
		}
		object[key] = value
	}
	if r.indent() >= indent {
		return nil, beyondYAML(r.at)
	}
	return object, nil
}

// value reads what follows a key or a dash, and maybe the lines below.
func (r *yamlReader) value(rest string, indent int, inObject bool) (any, error) {
	switch {
	case rest == "":
		next := r.indent()
		line, _ := r.peek()
		if next > indent || inObject && next == indent && isListItem(line[indent:]) {
			return r.block(next)
		}
		return nil, nil
	case rest[0] == '|' || rest[0] == '>':
		return r.blockText(rest, indent)
	}
	return r.scalar(rest)
}

// blockText reads the lines that are deeper than their parent, as they are.
func (r *yamlReader) blockText(style string, parent int) (any, error) {
	if style != "|" && style != "|-" && style != ">" && style != ">-" {
		return nil, beyondYAML(r.last)
	}
	var lines []string
	depth := -1
	for ; r.at < len(r.lines); r.at++ {
		line := r.lines[r.at]
		own := len(line) - len(strings.TrimLeft(line, " "))
		if strings.TrimSpace(line) == "" {
			lines = append(lines, "")
			continue
		}
		if own <= parent {
			break
		}
		if depth < 0 {
			depth = own
		}
		lines = append(lines, line[min(depth, own):])
	}
	for len(lines) > 0 && lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	separator := "\n"
	if style[0] == '>' {
		if separator = " "; slices.ContainsFunc(lines, func(line string) bool { return line == "" || line[0] == ' ' }) {
			return nil, beyondYAML(r.last) // such lines are not folded
		}
	}
	text := strings.Join(lines, separator)
	if !strings.HasSuffix(style, "-") {
		text += "\n"
	}
	return text, nil
}

// cutEntry takes a key from its value.
func cutEntry(content string) (key, rest string, ok bool) {
	if quote := content[:min(1, len(content))]; quote == `"` || quote == "'" {
		end := strings.Index(content[1:], quote)
		if end < 0 || !strings.HasPrefix(content[end+2:], ":") {
			return "", "", false
		}
		return content[1 : end+1], strings.TrimSpace(content[end+3:]), true
	}
	if strings.HasPrefix(content, "[") || strings.HasPrefix(content, "{") || strings.HasPrefix(content, "\t") {
		return "", "", false
	}
	if key, rest, ok = strings.Cut(content, ": "); ok {
		return strings.TrimSpace(key), strings.TrimSpace(rest), true
	}
	key, ok = strings.CutSuffix(content, ":")
	return key, "", ok
}

func (r *yamlReader) scalar(content string) (any, error) {
	content = strings.TrimSpace(content)
	switch content[0] {
	case '"':
		text, err := strconv.Unquote(content)
		if err != nil {
			return nil, errors.Join(beyondYAML(r.last), err)
		}
		return text, nil
	case '\'':
		if len(content) < 2 || !strings.HasSuffix(content, "'") {
			return nil, beyondYAML(r.last)
		}
		return strings.ReplaceAll(content[1:len(content)-1], "''", "'"), nil
	case '[', '{':
		return r.flow(content)
	case '&', '*', '!', '%', '@', '`':
		return nil, beyondYAML(r.last)
	}
	switch content {
	case "null", "Null", "NULL", "~":
		return nil, nil
	case "true", "True", "TRUE":
		return true, nil
	case "false", "False", "FALSE":
		return false, nil
	}
	if n, err := strconv.ParseInt(content, 10, 64); err == nil {
		return n, nil
	}
	if n, err := strconv.ParseFloat(content, 64); err == nil && strings.Trim(content, "+-.0123456789eE") == "" {
		return n, nil
	}
	return content, nil
}

// flow reads JSON, or a list in brackets of simple texts. A comma within quotes
// leaves an open quote, which is refused.
func (r *yamlReader) flow(content string) (any, error) {
	var value any
	if wire.Unmarshal([]byte(content), &value) == nil {
		return value, nil
	}
	inner, isList := strings.CutPrefix(content, "[")
	inner, closed := strings.CutSuffix(inner, "]")
	if !isList || !closed || strings.ContainsAny(inner, "[]{}:") {
		return nil, beyondYAML(r.last)
	}
	list := []any{}
	for part := range strings.SplitSeq(inner, ",") {
		if strings.TrimSpace(part) == "" {
			continue
		}
		item, err := r.scalar(part)
		if err != nil {
			return nil, err
		}
		list = append(list, item)
	}
	return list, nil
}
