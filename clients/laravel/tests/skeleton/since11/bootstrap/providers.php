<?php

// SPDX-License-Identifier: MIT

return [];
