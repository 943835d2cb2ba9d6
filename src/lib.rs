pub mod dockerfile;
pub mod finding;
pub mod fix;
pub mod rules;
pub mod text;
