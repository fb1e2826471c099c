package circleci

import "os"

// CreateNew creates the file that a download writes to.
func CreateNew(root *os.Root, name string) (*os.File, error) { return createNew(root, name) }

// GlobMatches reports whether a pattern selects a path.
func GlobMatches(pattern, path string) (bool, error) {
	g, err := parseGlob(pattern)
	return err == nil && g.matches(path), err
}
