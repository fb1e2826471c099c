package main

import (
	"regexp"
	"strings"
)

// unplainWords are phrases that a reader has to read twice.
var unplainWords = regexp.MustCompile(`(?i)\b(is no [a-z]|as it ca[m]e|as they ca[m]e|g[o]es well|w[e]nt well|t[o] be had|hand(s|ed)? o[v]er|` +
	`has be[e]n there|have be[e]n there|a[n]ew|i[n] the making|w[h]at is due|n[o] good|c[o]mes to nobody's notice|n[e]ither[.;])`)

// unplain returns the first such phrase of a text.
func unplain(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	for _, at := range unplainWords.FindAllStringIndex(text, -1) {
		if strings.HasSuffix(strings.ToLower(text[:at[0]]), "there ") {
			continue // "there is no"
		}
		return text[at[0]:at[1]]
	}
	return ""
}
