package circleci

// LocalName is for the fuzz target of artifact paths.
func LocalName(p string) string { return localName(p) }
