package circleci

import "github.com/circleci-go/circleci/internal/wire"

// sent is embedded in types that constructors create, because only some of
// their properties can be combined. Its JSON is that of the API.
type sent[T any] struct{ body T }

// String returns the JSON that is sent to the API.
func (s sent[T]) String() string {
	text, err := wire.MarshalRedacted(s.body)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// MarshalJSON returns the JSON that is sent to the API.
func (s sent[T]) MarshalJSON() ([]byte, error) { return wire.Marshal(s.body) }

// UnmarshalJSON parses the output of MarshalJSON.
func (s *sent[T]) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, &s.body) }
