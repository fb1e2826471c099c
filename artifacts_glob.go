package circleci

import (
	"path"
	"strings"
)

// glob is a pattern like those in .gitignore, for the paths of artifacts.
type glob struct {
	parts    []string // of the pattern, between the slashes
	anywhere bool     // matches in any folder
	folder   bool     // matches folders only
}

// parseGlob parses [DownloadOptions.Glob].
func parseGlob(pattern string) (*glob, error) {
	bad := func(reason string) (*glob, error) { return nil, &ArgumentError{Name: "glob", Reason: reason} }
	if pattern == "" {
		return nil, nil
	}
	if strings.HasPrefix(pattern, "!") {
		return bad("starts with !, which is not supported: use Match")
	}
	text, folder := strings.CutSuffix(pattern, "/")
	text, rooted := strings.CutPrefix(text, "/")
	g := &glob{parts: strings.Split(text, "/"), folder: folder}
	g.anywhere = !rooted && len(g.parts) == 1
	for _, part := range g.parts {
		if part == "" {
			return bad("has an empty segment")
		}
		if _, err := path.Match(part, ""); err != nil {
			return bad("is malformed")
		}
	}
	return g, nil
}

// matches reports whether the pattern matches a path, or a folder that contains
// it.
func (g *glob) matches(p string) bool {
	if g == nil {
		return true
	}
	names := strings.Split(strings.TrimPrefix(p, "/"), "/")
	if g.folder {
		names = names[:len(names)-1]
	}
	// reached[i] reports whether the parts before this one match the first i
	// names.
	reached := make([]bool, len(names)+1)
	reached[0] = true
	if g.anywhere {
		for i := range reached {
			reached[i] = true
		}
	}
	for n, part := range g.parts {
		next := make([]bool, len(reached))
		for i, ok := range reached {
			switch {
			case !ok:
			case part != "**":
				if i < len(names) {
					matched, _ := path.Match(part, names[i]) // cannot fail: the pattern was checked
					next[i+1] = next[i+1] || matched
				}
			case n < len(g.parts)-1: // any number of folders
				for j := i; j < len(next) && !next[j]; j++ {
					next[j] = true
				}
			case i < len(names): // everything in the folder
				next[i+1] = true
			}
		}
		reached = next
	}
	for _, ok := range reached[1:] {
		if ok {
			return true
		}
	}
	return false
}
