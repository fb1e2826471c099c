# Helpers for values that a configuration writes in several ways.
package circleci.utils

import rego.v1

to_set(value) := value if is_set(value)

else := {element | some element in value} if is_array(value)

else := {value}

to_array(value) := value if is_array(value)

else := [value]

# get_element_name is the name of an element that is a text, or a map with one
# key.
get_element_name(element) := element if is_string(element)

else := name if {
	is_object(element)
	count(element) == 1
	some name, _ in element
}

is_parameterized_expression(text) if regex.match(`<<\s*(pipeline|parameters)(\.[\w-]+)+\s*>>`, text)
