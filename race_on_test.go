//go:build race

package circleci_test

// raceFactor is by how much more memory the race detector makes code allocate.
const raceFactor = 4
