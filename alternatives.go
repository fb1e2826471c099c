package circleci

import "github.com/circleci-go/circleci/internal/wire"

// sent is what a type with constructors holds: the properties of which only
// some go together. It is written and read back as the API has it.
type sent[T any] struct{ body T }

// String returns the JSON that is sent.
func (s sent[T]) String() string {
	text, err := wire.MarshalRedacted(s.body)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// MarshalJSON writes what is sent.
func (s sent[T]) MarshalJSON() ([]byte, error) { return wire.Marshal(s.body) }

// UnmarshalJSON reads what MarshalJSON writes.
func (s *sent[T]) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, &s.body) }
