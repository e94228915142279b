//! Reading and editing the YAML files of ours: strict about keys, exact about positions, sparing with changes.
