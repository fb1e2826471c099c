package world

import (
	"math/big"
	"slices"
	"strings"

	"github.com/google/uuid"
)

var vcsTypes = map[string]string{"gh": "github", "bb": "bitbucket", standalone: standalone}

// standalone is the first segment of the slugs of standalone projects and
// organizations, whose other segments are IDs.
const standalone = "circleci"

// ShortSlug returns the form of a slug that responses use: gh instead of github,
// and base58 instead of UUIDs. Names in the slug of a standalone project are
// kept, so that the slug is found nowhere: see [HasNames].
func ShortSlug(slug string) string {
	provider, rest, _ := strings.Cut(slug, "/")
	switch provider {
	case "github":
		return "gh/" + rest
	case "bitbucket":
		return "bb/" + rest
	case standalone:
		segments := strings.Split(rest, "/")
		for i, segment := range segments {
			if id, ok := parseID(segment); ok {
				segments[i] = base58(id)
			}
		}
		return standalone + "/" + strings.Join(segments, "/")
	}
	return slug
}

// LongSlug returns the form of a slug that webhooks use.
func LongSlug(slug string) string {
	provider, rest, _ := strings.Cut(slug, "/")
	if long := vcsTypes[provider]; long != "" {
		return long + "/" + rest
	}
	return slug
}

// HasNames reports whether a slug of a standalone project or organization has a
// segment that is not an ID.
func HasNames(slug string) bool {
	rest, found := strings.CutPrefix(slug, standalone+"/")
	if !found {
		return false
	}
	for segment := range strings.SplitSeq(rest, "/") {
		if _, ok := parseID(segment); !ok {
			return true
		}
	}
	return false
}

const digits58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

// base58 returns an ID as slugs have it: the digits of a number, and before
// them a 1 for each zero byte at the start.
func base58(id uuid.UUID) string {
	var text []byte
	n, digit, base := new(big.Int).SetBytes(id[:]), new(big.Int), big.NewInt(int64(len(digits58)))
	for n.Sign() > 0 {
		n.DivMod(n, base, digit)
		text = append(text, digits58[digit.Int64()])
	}
	for i := 0; i < len(id) && id[i] == 0; i++ {
		text = append(text, digits58[0])
	}
	slices.Reverse(text)
	return string(text)
}

// parseID returns the ID that a segment of a slug has, in base58 or as a UUID.
func parseID(segment string) (id uuid.UUID, ok bool) {
	if id, err := uuid.Parse(segment); err == nil {
		return id, len(segment) == len(id.String())
	}
	n, base := new(big.Int), big.NewInt(int64(len(digits58)))
	for i := range len(segment) {
		digit := strings.IndexByte(digits58, segment[i])
		n.Add(n.Mul(n, base), big.NewInt(int64(digit)))
		if digit < 0 || n.BitLen() > 8*len(id) {
			return uuid.Nil, false
		}
	}
	n.FillBytes(id[:])
	return id, base58(id) == segment
}
