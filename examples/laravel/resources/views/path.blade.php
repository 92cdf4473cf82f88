<ol class="path" aria-label="The way through the code">
    @foreach ($steps as $code => $text)
        <li><code>{{ $code }}</code><span>{{ $text }}</span></li>
    @endforeach
</ol>
