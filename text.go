package circleci

import "github.com/circleci-go/circleci/internal/text"

// oneLine converts untrusted text to one line that is safe in errors, logs and
// terminals.
func oneLine(s string) string { return text.Line(s) }

// plainText makes untrusted text, such as a log, safe to print on a terminal.
func plainText(s string) string { return text.Plain(s) }
