# SPDX-License-Identifier: Apache-2.0
"""What black-box tests share: starting programs, talking to them, holding their answers against the contract."""
