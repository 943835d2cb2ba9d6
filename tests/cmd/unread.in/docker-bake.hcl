target "app" {
  context = "."
  args = { A = 
}
