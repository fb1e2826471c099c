package spec

// Extras are operations in live use that the document lacks.
var Extras = []Operation{}
