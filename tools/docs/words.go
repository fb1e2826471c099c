package main

import (
	"regexp"
	"strings"
)

// unplainWords are phrases that a reader has to read twice.
var unplainWords = regexp.MustCompile(`(?i)\b(is no [a-z]|as it ca[m]e|as they ca[m]e|goes well|went well|to be had|hand(s|ed)? over|` +
	`has be[e]n there|have be[e]n there|anew|in the making|what is due|no good|comes to nobody's notice|neither[.;])`)

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
