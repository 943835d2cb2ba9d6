target "app" {
  <% if x -%>
  context = "."
  <% end %>
}
