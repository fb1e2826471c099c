package circleci

import "github.com/circleci-go/circleci/internal/text"

// oneLine makes a text from outside fit into a line of an error, a log or a
// terminal.
func oneLine(s string) string { return text.Line(s) }

// plainText makes a text from outside, such as a log, fit for a terminal.
func plainText(s string) string { return text.Plain(s) }
