import '@fontsource-variable/figtree';
import '../css/app.css';
import './bootstrap';
import chat from './chat';
import dashboard from './dashboard';
import notifications from './notifications';
import status from './status';

status();
notifications();
chat();
dashboard();
