package circleci

import (
	"io"
	"iter"
)

// LocalName is for the fuzz target of artifact paths.
func LocalName(p string) string { return localName(p) }

// UsageRows reads a file of a usage export.
func UsageRows(file io.Reader) iter.Seq2[UsageRow, error] { return usageRows(file) }

// OneLine and PlainText make texts from outside fit to be shown.
func OneLine(s string) string   { return oneLine(s) }
func PlainText(s string) string { return plainText(s) }
