# Requests and answers against Zoho's own OpenAPI; skipped with a word when ZOHO_OPENAPI is unset.
check-openapi: $(if $(ZOHO_OPENAPI),all sims)
	@B=$(B) ZOHO_OPENAPI='$(ZOHO_OPENAPI)' sh tests/openapi/check.sh
	@B=$(B) ZOHO_OPENAPI='$(ZOHO_OPENAPI)' sh tests/openapi/distribution.sh
