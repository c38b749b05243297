"""identity-mitigation: does a unique, disassociative self-identity keep two agents from becoming a "we"?"""
