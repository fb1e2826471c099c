package circleci

import (
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci/internal/encode"
)

// ProjectSlug identifies a project. It has three segments, separated by
// slashes:
//
//	gh/acme/web                       GitHub (OAuth), also github/acme/web
//	bb/acme/web                       Bitbucket, also bitbucket/acme/web
//	circleci/<org id>/<project id>    GitHub App, GitLab, Bitbucket Data Center
//
// Treat it as opaque: the parts of a circleci/… slug are IDs, not names. The
// first segment is case-sensitive. Untyped string constants convert implicitly;
// for other input, use [ParseProjectSlug]. For an invalid slug, methods return
// an error that matches [ErrInvalidArgument], before any I/O.
type ProjectSlug string

// OrgSlug identifies an organization. It has two segments, separated by a
// slash, such as gh/acme or circleci/<org id>. See [ProjectSlug].
type OrgSlug string

// ParseProjectSlug returns s as a project slug, or an error if it is not a
// valid one.
func ParseProjectSlug(s string) (ProjectSlug, error) {
	slug := ProjectSlug(s)
	return slug, slug.check()
}

// ParseOrgSlug returns s as an organization slug, or an error if it is not a
// valid one.
func ParseOrgSlug(s string) (OrgSlug, error) {
	slug := OrgSlug(s)
	return slug, slug.check()
}

// Org returns the slug of the project's organization.
func (s ProjectSlug) Org() OrgSlug {
	if i := strings.LastIndexByte(string(s), '/'); i > 0 {
		return OrgSlug(s[:i])
	}
	return ""
}

// Normalize returns the slug with its first segment in the short form that most
// responses use: github becomes gh, bitbucket becomes bb. Webhooks send the
// long form.
func (s ProjectSlug) Normalize() ProjectSlug { return ProjectSlug(normalizeSlug(string(s))) }

// Normalize returns the slug with its first segment in the short form.
func (s OrgSlug) Normalize() OrgSlug { return OrgSlug(normalizeSlug(string(s))) }

// Equal reports whether two slugs identify the same project. It ignores whether
// the first segments are in the short or the long form.
func (s ProjectSlug) Equal(other ProjectSlug) bool { return s.Normalize() == other.Normalize() }

// Equal reports whether two slugs identify the same organization. It ignores
// whether the first segments are in the short or the long form.
func (s OrgSlug) Equal(other OrgSlug) bool { return s.Normalize() == other.Normalize() }

func normalizeSlug(s string) string {
	if rest, ok := strings.CutPrefix(s, "github/"); ok {
		return "gh/" + rest
	}
	if rest, ok := strings.CutPrefix(s, "bitbucket/"); ok {
		return "bb/" + rest
	}
	return s
}

func (s ProjectSlug) check() error {
	return checkSlug("project slug", string(s), 3, "gh/acme/web or circleci/<org id>/<project id>")
}

func (s OrgSlug) check() error {
	return checkSlug("organization slug", string(s), 2, "gh/acme or circleci/<org id>")
}

func checkSlug(name, slug string, segments int, example string) error {
	if isSlug(slug, segments) {
		return nil
	}
	reason := fmt.Sprintf("%q is not of the form %s", slug, example)
	if mended := mendSlug(slug, segments); mended != slug && isSlug(mended, segments) {
		reason += fmt.Sprintf("; did you mean %q?", mended)
	}
	return &ArgumentError{Name: name, Reason: reason}
}

// isSlug reports whether slug is a valid slug with the given number of
// segments. The first segment is the name of a VCS, in lower case, and not a
// host.
func isSlug(slug string, segments int) bool {
	if strings.Count(slug, "/") != segments-1 {
		return false
	}
	for segment := range strings.SplitSeq(slug, "/") {
		if segment == "" || segment != strings.TrimSpace(segment) || encode.HasDotPart(segment) || hasControl(segment) {
			return false
		}
	}
	vcs, _, _ := strings.Cut(slug, "/")
	return vcs == strings.ToLower(vcs) && !strings.ContainsAny(vcs, ".: ")
}

// mendSlug converts common mistakes to a slug: the URL of a page or a
// repository, the wrong case, spaces.
func mendSlug(text string, segments int) string {
	text = strings.TrimSpace(text)
	if _, rest, ok := strings.Cut(text, "://"); ok {
		text = rest
	}
	text = strings.TrimPrefix(text, "git@")
	text, _, _ = strings.Cut(text, "?")
	parts := strings.FieldsFunc(text, func(r rune) bool { return r == '/' || r == ':' })
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	if len(parts) == 0 {
		return ""
	}
	switch vcs := strings.ToLower(strings.TrimPrefix(parts[0], "www.")); vcs {
	case "github.com", "bitbucket.org":
		parts[0], _, _ = strings.Cut(vcs, ".")
	case "app.circleci.com", "circleci.com":
		for i, part := range parts { // /pipelines/github/acme/web, /settings/project/gh/acme/web
			if part == "gh" || part == "bb" || part == "github" || part == "bitbucket" || part == "circleci" {
				parts = parts[i:]
				break
			}
		}
	default:
		parts[0] = vcs
	}
	parts = parts[:min(len(parts), segments)]
	parts[len(parts)-1] = strings.TrimSuffix(parts[len(parts)-1], ".git")
	return strings.Join(parts, "/")
}

// OrgRef identifies an organization by its slug or its ID, for operations that
// accept both. Create one with [OrgBySlug] or [OrgByID].
type OrgRef struct {
	slug OrgSlug
	id   uuid.UUID
}

// OrgBySlug returns a reference to the organization with the given slug.
func OrgBySlug(slug OrgSlug) OrgRef { return OrgRef{slug: slug} }

// OrgByID returns a reference to the organization with the given ID.
func OrgByID(id uuid.UUID) OrgRef { return OrgRef{id: id} }

// orgFilter selects the organization of a list.
type orgFilter uuid.UUID

func (f orgFilter) query(q *encode.Query) { q.UUID("org-id", uuid.UUID(f)) }

func (f orgFilter) check() error {
	if f == (orgFilter{}) {
		return &ArgumentError{Name: "org-id", Reason: "is missing"}
	}
	return nil
}

// String returns the slug or the ID. For the zero OrgRef it returns "".
func (r OrgRef) String() string {
	if r.slug != "" || r.id == uuid.Nil {
		return string(r.slug)
	}
	return r.id.String()
}

// MarshalText returns the slug or the ID.
func (r OrgRef) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText parses a slug or an ID.
func (r *OrgRef) UnmarshalText(text []byte) error {
	*r = OrgRef{}
	if len(text) == 0 {
		return nil
	}
	if id, err := uuid.ParseBytes(text); err == nil {
		r.id = id
		return nil
	}
	slug, err := ParseOrgSlug(string(text))
	r.slug = slug
	return err
}
