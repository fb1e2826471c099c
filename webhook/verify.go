package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"

	"github.com/circleci-go/circleci"
)

// The headers of a webhook.
const (
	// SignatureHeader holds the signature that [Verify] checks.
	SignatureHeader = "Circleci-Signature"
	// EventTypeHeader holds the type of the event, which is also in the body.
	EventTypeHeader = "Circleci-Event-Type"
)

// What can be wrong with a signature.
var (
	// ErrNoSecret: there is no secret to check with, or an empty one.
	ErrNoSecret = errors.New("webhook: no signing secret is given, or an empty one")
	// ErrNoSignature: the header is missing, or holds no signature of a version
	// that counts.
	ErrNoSignature = errors.New("webhook: there is no v1 signature: does the webhook have a signing secret?")
	// ErrBadSignature: the body was not signed with any of the secrets.
	ErrBadSignature = errors.New("webhook: no configured secret matches the signature")
)

// mostSignatures is how many signatures of a header are looked at.
const mostSignatures = 16

// Verify checks that the body, as it came, was signed with one of the secrets.
// The header is the value of Circleci-Signature, such as "v1=4fcc06…"; of its
// signatures those of version 1 count. Give the old secret beside the new one
// while you rotate them. The time that a check takes says nothing of the
// secrets or of the signature.
func Verify(body []byte, header string, secrets ...circleci.Secret) error {
	given := signatures(header)
	valid := 0
	for _, secret := range secrets {
		if secret == "" {
			return ErrNoSecret // anybody can sign with an empty one
		}
		mac := hmac.New(sha256.New, []byte(secret.Reveal()))
		mac.Write(body)
		want := mac.Sum(nil)
		for _, signature := range given {
			if hmac.Equal(signature, want) {
				valid++
			}
		}
	}
	switch {
	case len(secrets) == 0:
		return ErrNoSecret
	case len(given) == 0:
		return ErrNoSignature
	case valid == 0:
		return ErrBadSignature
	}
	return nil
}

// Sign returns the header with which CircleCI signs a body, for tests of your
// own.
func Sign(body []byte, secret circleci.Secret) string {
	mac := hmac.New(sha256.New, []byte(secret.Reveal()))
	mac.Write(body)
	return "v1=" + hex.EncodeToString(mac.Sum(nil))
}

// signatures are the signatures of version 1 in a header.
func signatures(header string) (all [][]byte) {
	for part := range strings.SplitSeq(header, ",") {
		version, text, _ := strings.Cut(strings.TrimSpace(part), "=")
		if version != "v1" || len(text) != 2*sha256.Size || len(all) == mostSignatures {
			continue
		}
		if signature, err := hex.DecodeString(text); err == nil {
			all = append(all, signature)
		}
	}
	return all
}
