"""What the contract doubles share: HTTP, the check against an OpenAPI document, a process of their own."""
