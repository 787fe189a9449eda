import { mountConsole } from '../../shared/app/mount';
import { CategoryPage } from './CategoryPage';

mountConsole('category', CategoryPage);
